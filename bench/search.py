"""How long searches take and where the time goes, against a running query service.

    python bench/search.py --url http://127.0.0.1:8082 --queries evals/questions.txt --repeat 5

Prints the 50th and 95th percentile of each stage, as the service measured it, and of the whole
call as the client saw it, in milliseconds. The first round warms caches and is not counted.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
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


def figures(times: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Percentiles of each stage, in milliseconds."""
    return {
        stage: {"p50": percentile(times[stage], 0.5), "p95": percentile(times[stage], 0.95)}
        for stage in STAGES
    }


def main() -> None:
    """Runs the measurement."""
    parser = argparse.ArgumentParser(description="Time searches of a running query service.")
    parser.add_argument("--url", default="http://127.0.0.1:8082")
    parser.add_argument("--queries", type=Path, required=True, help="a text file, one question a line")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--modes", nargs="+", default=["hybrid", "dense", "lexical"])
    parser.add_argument("--json", type=Path, help="write the figures here too")
    given = parser.parse_args()
    queries = [
        line.strip() for line in given.queries.read_text(encoding="utf-8").splitlines() if line.strip()
    ]
    if not queries:
        sys.exit(f"{given.queries} holds no questions.")
    found = {}
    for mode in given.modes:
        found[mode] = figures(measure(given.url, queries, mode=mode, repeat=given.repeat))
        print(f"{mode}: {len(queries) * given.repeat} searches, ms")
        for stage, values in found[mode].items():
            print(f"  {stage:8} p50 {values['p50']:8.1f}  p95 {values['p95']:8.1f}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
