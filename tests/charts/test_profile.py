"""The profile of a trial: values-cpu fits two cores and 4 GB, with room for the cluster itself."""

import re

import pytest

from support.charts.helm import HELMS, Object
from support.charts.pods import kinds
from support.charts.scenario import Renderings, scenarios

UNITS = {"": 1.0, "m": 1e-3, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "k": 1e3, "M": 1e6, "G": 1e9}


def amount(quantity: str | int) -> float:
    found = re.fullmatch(r"([\d.]+)([A-Za-z]*)", str(quantity))
    assert found, quantity
    return float(found[1]) * UNITS[found[2]]


def requested(objects: list[Object], resource: str) -> float:
    """By what goes on running: of a pod's containers the sum, or an init container's if that is more."""
    total = 0.0
    for o in kinds(objects, "Deployment", "Cluster"):
        spec = o["spec"]
        if o["kind"] == "Cluster":
            total += spec["instances"] * amount(spec["resources"]["requests"][resource])
            continue
        pod = spec["template"]["spec"]
        running = sum(amount(c["resources"]["requests"][resource]) for c in pod["containers"])
        first = [amount(c["resources"]["requests"][resource]) for c in pod.get("initContainers", [])]
        total += spec["replicas"] * max([running, *first])
    return total


@pytest.mark.parametrize(("resource", "most"), [("cpu", 1.5), ("memory", 3 * 2.0**30)])
def test_a_trial_fits_two_cores_and_four_gigabytes(
    renderings: Renderings, resource: str, most: float
) -> None:
    cpu = next(s for s in scenarios() if s.name == "cpu")
    assert requested(renderings.get(cpu, HELMS[0]).own, resource) <= most
