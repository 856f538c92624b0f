"""What pods ask for and may use."""

from support.charts.pods import one
from support.charts.scenario import rendered


def test_limits_beside_a_card_leave_the_requests_as_they_are() -> None:
    resources = {"requests": {"cpu": "1", "memory": "8Gi"}, "limits": {"cpu": "8", "memory": "64Gi"}}
    objects = rendered("inference-tgi", {"resources": resources})
    (server,) = one(objects, "Deployment", "model-inference")["spec"]["template"]["spec"]["containers"]
    assert server["resources"] == {
        "requests": {"cpu": "1", "memory": "8Gi", "nvidia.com/gpu": "2"},
        "limits": {"cpu": "8", "memory": "64Gi", "nvidia.com/gpu": "2"},
    }
