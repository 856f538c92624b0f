"""How long searches take and where the time goes, against a running query service.

    python bench/search.py --url http://127.0.0.1:8082 --queries evals/questions.txt --repeat 5

Prints the 50th and 95th percentile of each stage, as the service measured it, and of the whole
call as the client saw it, in milliseconds. The first round warms caches and is not counted.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import httpx2

STAGES = ("embed", "dense", "lexical", "fuse", "rerank", "total", "client")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which so large a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(url: str, queries: Sequence[str], *, mode: str, repeat: int) -> dict[str, list[float]]:
    """Milliseconds of each stage of each search."""
    times: dict[str, list[float]] = defaultdict(list)
    with httpx2.Client(base_url=url, timeout=60) as client:
        for turn in range(repeat + 1):
            for query in queries:
                started = time.perf_counter()
                response = client.post("/v1/search", json={"query": query, "mode": mode, "top_k": 10})
                elapsed = (time.perf_counter() - started) * 1000
                response.raise_for_status()
                if turn:
                    for stage, value in {**response.json()["timings_ms"], "client": elapsed}.items():
                        times[stage].append(value)
    return times


def report(mode: str, times: dict[str, list[float]]) -> Iterable[str]:
    """Lines for a person."""
    yield f"{mode}: {len(times['total'])} searches"
    for stage in STAGES:
        half, most = percentile(times[stage], 0.5), percentile(times[stage], 0.95)
        yield f"  {stage:8} p50 {half:8.1f}  p95 {most:8.1f}"


def main() -> None:
    """Runs the measurement."""
    parser = argparse.ArgumentParser(description="Time searches of a running query service.")
    parser.add_argument("--url", default="http://127.0.0.1:8082")
    parser.add_argument("--queries", type=Path, required=True, help="a text file, one question a line")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--modes", nargs="+", default=["hybrid", "dense", "lexical"])
    given = parser.parse_args()
    queries = [
        line.strip() for line in given.queries.read_text(encoding="utf-8").splitlines() if line.strip()
    ]
    if not queries:
        sys.exit(f"{given.queries} holds no questions.")
    for mode in given.modes:
        print("\n".join(report(mode, measure(given.url, queries, mode=mode, repeat=given.repeat))))


if __name__ == "__main__":
    main()
