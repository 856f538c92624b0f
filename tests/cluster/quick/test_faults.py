"""Two replicas of everything: people who chat, upload and search notice neither a lost pod nor an upgrade."""

import pytest

from support.cluster.figures import Figures
from support.cluster.release import DEPLOYMENTS, Release
from support.cluster.traffic.promises import check
from support.cluster.traffic.traffic import traffic
from support.cluster.waiting import until

pytestmark = pytest.mark.timeout(1500)


def lose_a_pod(release: Release, component: str) -> None:
    """Deletes one of its pods and waits until as many as before are ready again."""
    before = release.ready_pods(component)
    release.namespace.delete("pod", before[0], "--wait=false")
    until(
        lambda: set(release.ready_pods(component)) - {before[0]},
        f"another pod of {component}",
        holds=lambda ready: len(ready) >= len(before),
        explain=release.explain,
    )


def test_one_pod_of_each_deployment_is_lost_and_nobody_notices(pair: Release, figures: Figures) -> None:
    with traffic(pair, "pods") as people:
        for component in DEPLOYMENTS:
            lose_a_pod(pair, component)
    promises = check(people)
    figures.fault("one pod of each Deployment deleted", people.ledger, promises)
    assert promises.broken == []
    assert people.ledger.failures == [], people.ledger.table()


def test_an_upgrade_is_rolled_out_and_nobody_notices(pair: Release, figures: Figures) -> None:
    pair.values = pair.values | changed_everywhere()
    with traffic(pair, "upgrade") as people:
        pair.upgrade()
        for component in DEPLOYMENTS:
            pair.settled(component)
    promises = check(people)
    figures.fault("helm upgrade to changed values", people.ledger, promises)
    assert promises.broken == []
    assert people.ledger.failures == [], people.ledger.table()


def changed_everywhere() -> dict[str, object]:
    """A change that replaces every pod of ours."""
    changed: dict[str, object] = {
        name: {"replicas": 2, "podAnnotations": {"test": "changed"}}
        for name in ("chat-ui", "query", "inference", "embeddings")
    }
    part = {"replicas": 2, "podAnnotations": {"test": "changed"}}
    return changed | {"ingest": {"api": part, "worker": part}}
