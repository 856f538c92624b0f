"""Who decides how many pods there are, and how many a drain may take."""

from typing import Any

import pytest

from support.charts.pods import kinds, one
from support.charts.scenario import rendered


def test_pods_at_work_stay_when_the_queue_cannot_be_asked() -> None:
    scaled = one(rendered("inference-vllm", {}), "ScaledObject", "model-inference")
    assert scaled["spec"]["fallback"] == {
        "failureThreshold": 3,
        "replicas": 1,
        "behavior": "currentReplicasIfHigher",
    }


@pytest.mark.parametrize(
    ("pdb", "expected"),
    [
        ({}, {"maxUnavailable": 1}),
        ({"maxUnavailable": 0}, {"maxUnavailable": 0}),
        ({"maxUnavailable": "50%"}, {"maxUnavailable": "50%"}),
        ({"minAvailable": 0}, {"minAvailable": 0}),
    ],
)
def test_a_drain_may_take_as_many_pods_as_was_said(pdb: dict[str, Any], expected: dict[str, Any]) -> None:
    (budget,) = kinds(rendered("query-alone", {"replicas": 3, "pdb": pdb}), "PodDisruptionBudget")
    assert {k: v for k, v in budget["spec"].items() if k.startswith("m")} == expected
