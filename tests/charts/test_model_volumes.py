"""A model's volume: where the download runs, and which folder both ends mean."""

import re
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


QWEN = {"model": {"name": "Qwen/Qwen2.5-1.5B-Instruct-GGUF"}, "file": "qwen-q4.gguf"}


def folders(scenario: str, values: Object) -> tuple[str, set[str]]:
    """Where the model is put, and where it is waited for and read."""
    objects = rendered(scenario, values)
    (download,) = kinds(objects, "Job")
    args = download["spec"]["template"]["spec"]["containers"][0]["args"]
    (server,) = kinds(objects, "Deployment")
    texts = re.findall(r"/models/[\w./-]+", str(server["spec"]["template"]["spec"]))
    read = {text.removesuffix("/.complete") for text in texts}
    return args[args.index("--folder") + 1], read


def test_all_files_of_a_model_lie_where_its_name_and_revision_say() -> None:
    place = "/models/meta-llama--Llama-3.1-8B-Instruct/0e9e39f249a16976918f6564b8830bc894c89659"
    assert folders("inference-tgi", {}) == (place, {place})


def test_another_file_of_a_model_lies_elsewhere_and_the_server_looks_there() -> None:
    q4, read = folders("inference-alone", QWEN)
    assert re.fullmatch(r"/models/Qwen--Qwen2.5-1.5B-Instruct-GGUF/main-[0-9a-f]{8}", q4)
    assert read == {q4, f"{q4}/qwen-q4.gguf"}
    q8, read = folders("inference-alone", QWEN | {"file": "qwen-q8.gguf"})
    assert read == {q8, f"{q8}/qwen-q8.gguf"}
    assert q4 != q8


def test_the_order_of_the_files_does_not_matter() -> None:
    one, other = (
        folders("inference-tgi", {"model": {"exclude": names}})[0] for names in (["a", "b"], ["b", "a"])
    )
    assert one == other


def test_embeddings_read_what_was_fetched_for_them() -> None:
    values = {"model": {"name": "acme/vectors"}}
    place, read = folders("embeddings-alone", values)
    assert read == {place}


def test_the_weights_beside_an_onnx_file_are_fetched_with_it() -> None:
    (download,) = kinds(rendered("embeddings-alone", {"model": {"name": "acme/vectors"}}), "Job")
    args = download["spec"]["template"]["spec"]["containers"][0]["args"]
    assert {"onnx/model.onnx", "onnx/model.onnx_data"} <= set(args)
