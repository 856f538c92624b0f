"""What a client saw: one record for each request, and what they come to."""

import itertools
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that somebody wanted, from the first try to what became of it."""

    kind: str
    started: float
    ended: float
    status: int
    error: str = ""

    @property
    def failed(self) -> bool:
        """Somebody saw an error."""
        return bool(self.error)


@dataclass(frozen=True, slots=True)
class Summary:
    """One kind of request over the whole time."""

    requests: int
    failed: int
    # Longest time between two requests of the kind that succeeded.
    longest_gap: float
    slowest: float


@dataclass(slots=True)
class Ledger:
    """Everything that the clients of one test saw."""

    began: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    records: list[Record] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, started: float, status: int, error: str = "") -> None:
        self.records.append(Record(kind, started, time.monotonic(), status, error))

    def count(self, what: str) -> None:
        """Something that happened and is no failure: a stream that was resumed, a request sent again."""
        self.counts[what] += 1

    def succeeded(self, kind: str) -> int:
        return sum(record.kind == kind and not record.failed for record in self.records)

    @property
    def failures(self) -> list[Record]:
        return [record for record in self.records if record.failed]

    def summaries(self) -> dict[str, Summary]:
        kinds = sorted({record.kind for record in self.records})
        return {kind: self._summary([r for r in self.records if r.kind == kind]) for kind in kinds}

    def _summary(self, records: list[Record]) -> Summary:
        good = [record for record in records if not record.failed]
        ends = sorted(record.ended for record in good)
        gaps = [
            after - before
            for before, after in itertools.pairwise([self.began, *ends, self.ended or time.monotonic()])
        ]
        return Summary(
            requests=len(records),
            failed=len(records) - len(good),
            longest_gap=round(max(gaps), 1),
            slowest=round(max((record.ended - record.started for record in good), default=0.0), 1),
        )

    def table(self) -> str:
        """For people: one line for each kind, then each failure."""
        lines = [f"{'kind':10} {'requests':>8} {'failed':>6} {'gap s':>6} {'slowest s':>9}"]
        for kind, s in self.summaries().items():
            lines.append(f"{kind:10} {s.requests:8} {s.failed:6} {s.longest_gap:6.1f} {s.slowest:9.1f}")
        lines += [f"{what}: {count}" for what, count in sorted(self.counts.items())]
        lines += [f"  +{r.started - self.began:.1f} s {r.kind}: {r.status} {r.error}" for r in self.failures]
        return "\n".join(lines)

    def figures(self) -> dict[str, Any]:
        """For the report."""
        return {
            "seconds": round((self.ended or time.monotonic()) - self.began, 1),
            "kinds": {kind: asdict(summary) for kind, summary in self.summaries().items()},
            "counts": dict(self.counts),
        }
