"""The queue as the bulk ingest fills it."""

from pilothouse_ingest.jobs.queue import IndexQueue

_BEHIND = -100  # below every priority that uploads have


class BulkQueue(IndexQueue):
    """Puts documents behind those that somebody waits for."""

    def priority(self, size: int) -> int:  # noqa: ARG002  behind the others, a large one waits for nobody
        """Of a document of this many bytes: the same for all."""
        return _BEHIND
