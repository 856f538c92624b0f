"""A node is drained for maintenance while people are at work."""

import pytest

from support.cluster.database import Database, write_probe
from support.cluster.figures import Figures
from support.cluster.kubectl import kubectl
from support.cluster.release import Release
from support.cluster.traffic.promises import check
from support.cluster.traffic.traffic import traffic

pytestmark = pytest.mark.timeout(2400)


def test_the_node_of_the_primary_is_drained(steady: Release, figures: Figures) -> None:
    database = Database(steady)
    node = database.node_of(database.primary)
    selector = "--pod-selector=app.kubernetes.io/part-of=pilothouse"
    with traffic(steady, "drain") as people, write_probe(database) as probe:
        people.flows()
        try:
            kubectl("drain", node, selector, "--delete-emptydir-data", "--timeout=900s", seconds=930)
            people.flows()
        finally:
            kubectl("uncordon", node)
        database.wait_until_healthy(seconds=900)
    promises = check(people)
    figures.fault(
        "values-ha: node of the primary drained",
        people.ledger,
        promises,
        **{"CloudNativePG's own gap s": probe.longest_gap, "CloudNativePG lost": len(probe.missing)},
    )
    assert promises.broken == []
    assert probe.missing == []
