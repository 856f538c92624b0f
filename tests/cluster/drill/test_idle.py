"""What a release uses while nobody uses it, pod by pod, as `kubectl top` has it."""

import json
from collections import defaultdict
from statistics import mean

import pytest

from cluster.conftest import NewNamespace
from support.cluster.figures import Figures
from support.cluster.kubectl import kubectl
from support.cluster.release import Release
from support.cluster.waiting import until

pytestmark = pytest.mark.timeout(1200)

# Readings of each pod; the first ones may still have the start in them.
READINGS = 6
SETTLING = 2
UNITS = {"n": 1e-6, "u": 1e-3, "m": 1.0, "Ki": 1 / 1024, "Mi": 1.0, "Gi": 1024.0}


def number(quantity: str) -> float:
    """Thousandths of a core, or MiB."""
    unit = quantity.lstrip("0123456789")
    return float(quantity.removesuffix(unit)) * UNITS.get(unit, 1000.0)


def test_an_idle_release_is_measured(new_namespace: NewNamespace, figures: Figures) -> None:
    release = Release(new_namespace("idle"))
    release.install()
    release.test()
    seen: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)

    def fewest_readings() -> int:
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{release.namespace.name}/pods"
        pods = json.loads(kubectl("get", "--raw", path))["items"]
        for pod in pods:
            usage = [container["usage"] for container in pod["containers"]]
            cpu, memory = (sum(number(part[what]) for part in usage) for what in ("cpu", "memory"))
            seen[pod["metadata"]["name"]][pod["timestamp"]] = (cpu, memory)
        # Jobs that had just ended are in the first answers only.
        for gone in seen.keys() - {pod["metadata"]["name"] for pod in pods}:
            del seen[gone]
        return min((len(readings) for readings in seen.values()), default=0)

    until(
        fewest_readings,
        f"{READINGS} readings of every pod",
        holds=lambda fewest: fewest >= READINGS,
        seconds=600,
        explain=release.explain,
    )
    for name, by_time in sorted(seen.items()):
        readings = [by_time[moment] for moment in sorted(by_time)][SETTLING:]
        figures.add(
            "idle",
            name,
            **{"CPU m": round(mean(cpu for cpu, _ in readings), 1)},
            **{"memory MiB": round(max(memory for _, memory in readings))},
        )
