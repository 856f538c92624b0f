"""A node with the database's primary and pods of ours loses its power, and comes back."""

import subprocess

import pytest

from cluster.drill.conftest import tool
from cluster.drill.test_ha_database import switch_over
from support.cluster.database import Database, write_probe
from support.cluster.figures import Figures
from support.cluster.kubectl import Namespace, Object
from support.cluster.release import Release
from support.cluster.traffic.promises import check
from support.cluster.traffic.traffic import traffic
from support.cluster.waiting import until

pytestmark = pytest.mark.timeout(2700)

MOVABLE = ("kube-system", "cnpg-system", "keda")
TAINT = "drill.pilothouse.dev/leave"


def test_a_node_is_lost_and_what_was_promised_is_kept(steady: Release, figures: Figures) -> None:
    node = tool("node")
    database = Database(steady)
    if database.node_of(database.primary) in nodes_of("s3"):
        elsewhere = [name for name in database.instances if database.node_of(name) not in nodes_of("s3")]
        switch_over(database, elsewhere[0])
        database.wait_until_healthy()
    primary = database.primary
    lost = database.node_of(primary)
    move_the_cluster_itself_away_from(lost)
    assert database.primary == primary
    with traffic(steady, "node") as people, write_probe(database) as probe:
        people.flows()
        subprocess.run([node, "off", lost], check=True, capture_output=True)
        try:
            database.wait_for_another_primary(primary)
            until_served_elsewhere(steady, lost)
            people.flows()
        finally:
            subprocess.run([node, "on", lost], check=True, capture_output=True)
        database.wait_until_healthy(seconds=900)
        people.flows()
    promises = check(people)
    figures.fault(
        "values-ha: node with the primary lost",
        people.ledger,
        promises,
        **{"CloudNativePG's own gap s": probe.longest_gap, "CloudNativePG lost": len(probe.missing)},
    )
    assert promises.broken == []
    assert probe.missing == []


def nodes_of(*namespaces: str) -> set[str]:
    pods = [pod for name in namespaces for pod in Namespace(name).list("pod")]
    return {str(pod["spec"].get("nodeName", "")) for pod in pods}


def move_the_cluster_itself_away_from(node: str) -> None:
    """DNS, the operator and KEDA: their loss would be another test. The S3 store stays where its disk is."""
    everywhere = Namespace("default")
    # By a taint of our own: CloudNativePG moves its primary off a node that is cordoned.
    everywhere.kubectl("taint", "node", node, f"{TAINT}=here:NoSchedule")
    try:
        for namespace in map(Namespace, MOVABLE):
            for pod in namespace.list("pod"):
                if pod["spec"].get("nodeName") == node:
                    namespace.delete("pod", pod["metadata"]["name"])
            for deployment in namespace.list("deployment"):
                name = deployment["metadata"]["name"]
                namespace.kubectl("rollout", "status", f"deployment/{name}", "--timeout=300s", seconds=330)
    finally:
        everywhere.kubectl("taint", "node", node, f"{TAINT}-")
    assert node not in nodes_of(*MOVABLE)


def until_served_elsewhere(release: Release, lost: str) -> None:
    """No Service leads to the node any more."""

    def leading_there() -> list[str]:
        slices = release.namespace.list("endpointslice")
        return [
            f"{part['metadata']['name']}"
            for part in slices
            if any(map(ready_on_it, part.get("endpoints") or []))
        ]

    def ready_on_it(endpoint: Object) -> bool:
        return endpoint.get("nodeName") == lost and bool(endpoint["conditions"].get("ready"))

    until(
        leading_there,
        f"no Service leads to {lost}",
        holds=lambda found: not found,
        seconds=300,
        explain=release.explain,
    )
