"""`values-ha`, and each pod of ours deleted in turn, then killed without a word."""

import pytest

from support.cluster.figures import Figures
from support.cluster.release import DEPLOYMENTS, Release
from support.cluster.traffic.promises import check
from support.cluster.traffic.traffic import traffic
from support.cluster.waiting import until

pytestmark = pytest.mark.timeout(2400)


def test_each_pod_is_deleted_in_turn_and_nobody_notices(steady: Release, figures: Figures) -> None:
    with traffic(steady, "ha-pods") as people:
        for component in DEPLOYMENTS:
            for pod in steady.ready_pods(component):
                replaced(steady, component, pod)
    promises = check(people)
    figures.fault("values-ha: each pod deleted in turn", people.ledger, promises)
    assert promises.broken == []
    assert people.ledger.failures == [], people.ledger.table()


def replaced(release: Release, component: str, pod: str, *arguments: str) -> None:
    """Deletes the pod and waits for another in its place."""
    before = release.ready_pods(component)
    release.namespace.delete("pod", pod, "--wait=false", *arguments)
    until(
        lambda: [name for name in release.ready_pods(component) if name != pod],
        f"another pod of {component}",
        holds=lambda ready: len(ready) >= len(before),
        explain=release.explain,
    )


def test_what_is_promised_is_kept_when_processes_are_killed(steady: Release, figures: Figures) -> None:
    with traffic(steady, "ha-kill") as people:
        for component in DEPLOYMENTS:
            replaced(steady, component, steady.ready_pods(component)[0], "--grace-period=0", "--force")
            people.flows()
    promises = check(people)
    figures.fault("values-ha: one pod of each Deployment killed", people.ledger, promises)
    assert promises.broken == []
