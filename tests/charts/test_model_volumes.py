"""A model's volume: where the download runs, and which folder both ends mean."""

from typing import Any

from support.charts.helm import Object
from support.charts.pods import kinds, own_pods
from support.charts.scenario import rendered

SERVER = {
    "app.kubernetes.io/name": "inference",
    "app.kubernetes.io/instance": "model",
    "app.kubernetes.io/component": "inference",
}
BESIDE = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": SERVER}}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def job(values: Object) -> Any:
    """The pod of the download."""
    (found,) = kinds(rendered("inference-tgi", values), "Job")
    return found["spec"]["template"]["spec"]


def test_the_download_runs_beside_the_server_where_one_node_holds_the_volume() -> None:
    pod = job({})
    assert pod["affinity"] == {"podAffinity": {REQUIRED: [BESIDE]}}
    assert pod["nodeSelector"] == {"pool": "cards"}
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod["tolerations"]
    servers = [p for p in own_pods(rendered("inference-tgi", {})) if p.labels.items() >= SERVER.items()]
    assert [str(server) for server in servers] == ["Deployment/model-inference"]


def test_the_operators_own_affinity_stays() -> None:
    other = {"topologyKey": "topology.kubernetes.io/zone", "labelSelector": {"matchLabels": {"a": "b"}}}
    own = {"podAffinity": {REQUIRED: [other]}, "nodeAffinity": {"a": "b"}}
    values = {"download": {"affinity": own, "nodeSelector": {"pool": "cheap", "disk": "fast"}}}
    pod = job(values)
    assert pod["affinity"] == {"podAffinity": {REQUIRED: [other, BESIDE]}, "nodeAffinity": {"a": "b"}}
    # The server's place is no matter of taste.
    assert pod["nodeSelector"] == {"pool": "cards", "disk": "fast"}


def test_the_download_runs_anywhere_where_many_nodes_have_the_volume() -> None:
    assert "affinity" not in job({"cache": {"accessMode": "ReadWriteMany"}})


def test_the_download_does_not_wait_for_a_server_that_nobody_starts() -> None:
    pod = job({"replicas": 0})
    assert "affinity" not in pod
    assert pod["nodeSelector"] == {"pool": "cards"}
