"""Where the real scheduler puts pods on nodes that have no machine behind them: zones, GPU pools, drains."""

import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest
import yaml

from cluster.conftest import NewNamespace
from cluster.drill.conftest import tool
from support.charts.helm import CHARTS
from support.cluster.kubectl import Namespace, Object, kubectl
from support.cluster.release import DEPLOYMENTS, Release
from support.cluster.waiting import until

pytestmark = pytest.mark.timeout(1800)

GPU = "nvidia.com/gpu"
POOL = "pool"
# Nothing else may be put on nodes where nothing runs.
SIMULATED = {"key": "simulated", "value": "true", "effect": "NoSchedule"}
SECRETS = ("owner", "ingest", "query", "chat")


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Object]]:
    """Six ordinary nodes over three zones, and two with cards."""
    simulate = tool("simulate-nodes")
    taint = f"simulated=true:{SIMULATED['effect']}"
    try:
        subprocess.run(
            [simulate, "6", "--taint", taint, "--label", f"{POOL}=plain"], check=True, capture_output=True
        )
        cards = ["--gpu", f"{GPU}=4", "--taint", f"{GPU}=present:NoSchedule", "--taint", taint]
        subprocess.run([simulate, "2", *cards, "--label", f"{POOL}=gpu"], check=True, capture_output=True)
        yield Namespace("default").list("node", "simulated=true")
    finally:
        subprocess.run([simulate, "--remove"], check=True, capture_output=True)


def everywhere_simulated() -> Object:
    tolerations = [{**SIMULATED, "operator": "Equal"}]
    return {"nodeSelector": {"simulated": "true"}, "tolerations": tolerations, "preflight": True}


def placed(release: Release, component: str) -> list[str]:
    """Nodes of its running pods."""
    pods = release.pods(component)
    return [str(pod["spec"]["nodeName"]) for pod in pods if pod["status"]["phase"] == "Running"]


def all_placed(release: Release, component: str, count: int) -> list[str]:
    return until(
        lambda: placed(release, component),
        f"{count} pods of {component} placed",
        holds=lambda found: len(found) == count,
        explain=release.explain,
    )


def with_a_database_elsewhere(new_namespace: NewNamespace, name: str) -> Namespace:
    """CloudNativePG would wait for instances that do not run; where those go is seen on real nodes."""
    namespace = new_namespace(name)
    secrets = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"pilothouse-{role}"},
            "stringData": {"password": "of-nobody"},
        }
        for role in SECRETS
    ]
    namespace.apply(*secrets)
    return namespace


def elsewhere() -> Object:
    roles = {role: f"pilothouse-{role}" for role in SECRETS[1:]}
    return {"host": "db.example.org", "ownerSecret": "pilothouse-owner", "roleSecrets": roles}


@pytest.fixture(scope="module")
def spread(nodes: list[Object], new_namespace: NewNamespace) -> Release:
    namespace = with_a_database_elsewhere(new_namespace, "spread")
    values = yaml.safe_load((CHARTS / "pilothouse" / "values-ha.yaml").read_text(encoding="utf-8"))
    values["database"] = {"mode": "external"}
    values["global"] = everywhere_simulated() | {"database": elsewhere()}
    release = Release(namespace, files=(), values=values)
    release.install(wait=False)
    return release


def zone_of(nodes: list[Object], name: str) -> str:
    node = next(node for node in nodes if node["metadata"]["name"] == name)
    return str(node["metadata"]["labels"]["topology.kubernetes.io/zone"])


def test_two_replicas_are_in_two_zones(nodes: list[Object], spread: Release) -> None:
    for component in DEPLOYMENTS:
        zones = {zone_of(nodes, node) for node in all_placed(spread, component, 2)}
        assert len(zones) == 2, f"{component} is in {zones}"


def test_every_node_can_be_drained_and_never_the_last_replica_goes(
    nodes: list[Object], spread: Release
) -> None:
    for component in DEPLOYMENTS:
        all_placed(spread, component, 2)
    for node in {node for component in DEPLOYMENTS for node in placed(spread, component)}:
        try:
            kubectl(
                "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=300s", seconds=330
            )
            for component in DEPLOYMENTS:
                assert node not in all_placed(spread, component, 2)
        finally:
            kubectl("uncordon", node)


def test_only_pods_that_need_a_card_are_on_nodes_with_cards(
    nodes: list[Object], new_namespace: NewNamespace
) -> None:
    namespace = with_a_database_elsewhere(new_namespace, "cards")
    values = yaml.safe_load((CHARTS / "pilothouse" / "values-gpu.yaml").read_text(encoding="utf-8"))
    values["database"] = {"mode": "external"}
    values["global"] = everywhere_simulated() | {"database": elsewhere()}
    values["inference"]["cache"]["storageClass"] = "standard"
    release = Release(namespace, files=(), values=values)
    release.install(wait=False)
    with_cards = {node["metadata"]["name"] for node in nodes if node["metadata"]["labels"][POOL] == "gpu"}

    assert set(all_placed(release, "inference", 1)) <= with_cards
    everybody = Counter(
        pod["metadata"]["labels"]["app.kubernetes.io/component"]
        for pod in namespace.list("pod", release.selector())
        if pod["spec"].get("nodeName") in with_cards
    )
    assert set(everybody) <= {"inference", "inference-download"}
