"""Which failures are tried again, and when."""

import asyncio
import random

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job
from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from pilothouse_core.embedding import DimensionError, EmbedderAwayError, EmbedderError, OtherModelError
from pilothouse_ingest.settings import WorkerSettings


class Backoff(BaseRetryStrategy):
    """Every failure that reaches the queue may pass; those that cannot are settled before.

    The wait grows fourfold, with jitter, up to a limit. A job given back at shutdown
    starts again at once.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When to try again."""
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision(retry_in={"seconds": 0})
        if is_final(exception, job, self._settings):
            return None
        # There is no end to the attempts while the embedding server is away, but one to a duration.
        wait = min(self._settings.retry_after * 4 ** min(job.attempts, 10), self._settings.retry_most)
        return RetryDecision(retry_in={"seconds": wait.total_seconds() * random.uniform(0.8, 1.2)})  # noqa: S311  jitter


def is_final(exception: BaseException, job: Job, settings: WorkerSettings) -> bool:
    """Whether this failure is the document's last. That of an embedding server that is away never is."""
    return not isinstance(exception, EmbedderAwayError) and is_last_attempt(job, settings)


def is_last_attempt(job: Job, settings: WorkerSettings) -> bool:
    """Whether a failure of this run is final."""
    return job.attempts + 1 >= settings.max_attempts


def in_words(exception: BaseException, attempts: int) -> tuple[str, str]:
    """Code and explanation of a failure that lasted through all attempts."""
    tried = f"It was tried {attempts} times. Use retry when the cause is gone."
    if isinstance(exception, DimensionError):
        return "embedding_dimension_differs", f"{exception} {tried}"
    if isinstance(exception, OtherModelError):
        return "embedding_model_differs", f"{exception} {tried}"
    if isinstance(exception, EmbedderError):
        return "embedder_unavailable", f"The embedding model could not be used: {exception} {tried}"
    if isinstance(exception, OperationalError | PoolTimeout):
        return (
            "database_unavailable",
            f"The database could not be reached during the work. {tried}",
        )
    return (
        "internal_error",
        f"Something unexpected went wrong ({type(exception).__name__}); the worker's log says more. {tried}",
    )


def died_in_words(attempts: int) -> tuple[str, str]:
    """Code and explanation of a document whose worker died each time."""
    return (
        "worker_died",
        f"The process that worked on this document ended without an answer {attempts} times, perhaps because "
        "it ran out of memory. Split the file or give the worker more memory, then use retry.",
    )
