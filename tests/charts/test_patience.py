"""An installation that takes long is not called failed."""

from support.charts.pods import kinds
from support.charts.scenario import rendered


def test_every_deployment_may_take_as_long_as_a_restore_or_a_download() -> None:
    found = {
        o["metadata"]["name"]: o["spec"]["progressDeadlineSeconds"]
        for o in kinds(rendered("defaults", {}), "Deployment")
    }
    assert len(found) == 6
    assert set(found.values()) == {3600}
