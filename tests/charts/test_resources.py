"""What pods ask for and may use."""

import pytest

from support.charts.pods import kinds, one
from support.charts.scenario import rendered


def test_limits_beside_a_card_leave_the_requests_as_they_are() -> None:
    resources = {"requests": {"cpu": "1", "memory": "8Gi"}, "limits": {"cpu": "8", "memory": "64Gi"}}
    objects = rendered("inference-tgi", {"resources": resources})
    (server,) = one(objects, "Deployment", "model-inference")["spec"]["template"]["spec"]["containers"]
    assert server["resources"] == {
        "requests": {"cpu": "1", "memory": "8Gi", "nvidia.com/gpu": "2"},
        "limits": {"cpu": "8", "memory": "64Gi", "nvidia.com/gpu": "2"},
    }


LIMITS = {"cpu": "2", "memory": "2Gi", "ephemeral-storage": "4Gi"}


@pytest.mark.parametrize(
    ("scenario", "waits", "memory"),
    [("query-alone", "wait-for-schema", "128Mi"), ("inference-tgi", "wait-for-model", "64Mi")],
)
def test_what_waits_has_every_limit_that_a_quota_may_ask_for(scenario: str, waits: str, memory: str) -> None:
    (deployment,) = kinds(rendered(scenario, {"resources": {"limits": LIMITS}}), "Deployment")
    first = deployment["spec"]["template"]["spec"]["initContainers"]
    (container,) = [c for c in first if c["name"] == waits]
    assert container["resources"]["limits"] == LIMITS | {"memory": memory}
    assert container["resources"]["requests"]["cpu"] == "10m"


def test_both_jobs_of_the_database_have_the_resources_that_were_said() -> None:
    resources = {"requests": {"cpu": "20m", "memory": "96Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}}
    found = list(kinds(rendered("database-alone", {"jobs": {"resources": resources}}), "Job"))
    assert len(found) == 2
    pods = [job["spec"]["template"]["spec"] for job in found]
    assert [pod["containers"][0]["resources"] for pod in pods] == [resources, resources]
