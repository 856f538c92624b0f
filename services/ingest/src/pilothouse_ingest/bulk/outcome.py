"""What became of a folder's files, and what is said about it."""

from collections import Counter
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()

_NAMED = 20  # failed files that the summary repeats

ALL_INDEXED = 0
BROKEN_OFF = 1
SOME_FAILED = 4


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be indexed."""

    name: str
    code: str
    detail: str


@dataclass(slots=True)
class Outcome:
    """Counts of files; `skipped` by their endings. `broken` says why the work did not come to its end."""

    total: int = 0
    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    indexed: int = 0
    failed: list[Failure] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    broken: str | None = None

    @property
    def done(self) -> int:
        """Files with which nothing is left to do."""
        return self.indexed + len(self.failed) + self.skipped.total()

    @property
    def exit_code(self) -> int:
        """What the process says to who started it."""
        if self.broken is not None:
            return BROKEN_OFF
        return SOME_FAILED if self.failed else ALL_INDEXED

    def fail(self, failure: Failure) -> None:
        """Counts a failure and says why."""
        self.failed.append(failure)
        log.warning("bulk_file_failed", file=failure.name, code=failure.code, detail=failure.detail)

    def add(self, other: "Outcome") -> None:
        """Takes in what became of another part."""
        self.total += other.total
        self.added += other.added
        self.replaced += other.replaced
        self.unchanged += other.unchanged
        self.indexed += other.indexed
        self.failed += other.failed
        self.skipped += other.skipped
        self.broken = self.broken or other.broken

    def log_progress(self, seconds: float) -> None:
        """How far it is, how fast, and how long it will still take."""
        rate = self.done / seconds if seconds > 0 else 0.0
        log.info(
            "bulk_progress",
            done=self.done,
            total=self.total,
            failed=len(self.failed),
            skipped=self.skipped.total(),
            per_second=round(rate, 1),
            remaining_seconds=round((self.total - self.done) / rate) if rate else None,
        )

    def log_summary(self, seconds: float) -> None:
        """The last lines of the log."""
        for failure in self.failed[:_NAMED]:
            log.warning("bulk_failed", file=failure.name, code=failure.code, detail=failure.detail)
        counts = {
            "total": self.total,
            "indexed": self.indexed,
            "added": self.added,
            "replaced": self.replaced,
            "unchanged": self.unchanged,
            "failed": len(self.failed),
            "reasons": dict(Counter(failure.code for failure in self.failed)),
            "skipped": dict(self.skipped),
            "seconds": round(seconds, 1),
        }
        if self.broken is None:
            log.info("bulk_finished", **counts)
        else:
            log.error("bulk_broken_off", reason=self.broken, **counts)
