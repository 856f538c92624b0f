"""What an operator adds by hand arrives in every workload, and what is scaled by load says no number."""

from typing import Any

import pytest

from support.charts.helm import HELMS
from support.charts.pods import kinds
from support.charts.scenario import Rendering, Renderings, scenarios

EVERYTHING = next(s for s in scenarios() if s.name == "everything")
POD = "spec.template.spec"
TEMPLATE = "spec.template.metadata"

# Place in a Deployment, and what must be there; of a list, what it must hold.
WANTED: list[tuple[str, Any]] = [
    ("metadata.annotations.note", "ours"),
    ("metadata.labels.team", "search"),
    (f"{TEMPLATE}.annotations.note", "ours"),
    (f"{TEMPLATE}.labels.cost-centre", "42"),
    (f"{POD}.nodeSelector", {"disk": "fast", "pool": "general"}),
    (f"{POD}.tolerations", {"key": "disk", "operator": "Exists", "effect": "NoSchedule"}),
    (f"{POD}.tolerations", {"key": "pool", "operator": "Exists"}),
    (f"{POD}.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.weight", 1),
    (f"{POD}.priorityClassName", "important"),
    (f"{POD}.runtimeClassName", "gvisor"),
    (f"{POD}.securityContext.supplementalGroups", 5000),
    (f"{POD}.securityContext.runAsNonRoot", True),
    (f"{POD}.imagePullSecrets", {"name": "mirror"}),
    (f"{POD}.imagePullSecrets", {"name": "another"}),
    (f"{POD}.volumes", {"name": "company-ca", "configMap": {"name": "pilothouse-extra"}}),
    (f"{POD}.containers.0.securityContext.seLinuxOptions.level", "s0:c123,c456"),
    (f"{POD}.containers.0.securityContext.readOnlyRootFilesystem", True),
    (f"{POD}.containers.0.env", {"name": "HTTPS_PROXY", "value": "http://proxy.example.org:3128"}),
    (f"{POD}.containers.0.env", {"name": "RELEASE", "value": "pilothouse"}),
    (f"{POD}.containers.0.env", {"name": "PILOTHOUSE_LOG_LEVEL", "value": "DEBUG"}),
    (f"{POD}.containers.0.envFrom", {"configMapRef": {"name": "pilothouse-extra"}}),
    (
        f"{POD}.containers.0.volumeMounts",
        {"name": "company-ca", "mountPath": "/etc/company-ca", "readOnly": True},
    ),
    (f"{POD}.containers.1.name", "beside"),
]


@pytest.fixture
def everything(renderings: Renderings) -> Rendering:
    return renderings.get(EVERYTHING, HELMS[0])


def at(o: Any, place: str) -> Any:
    for step in place.split("."):
        o = o[int(step)] if isinstance(o, list) else o.get(step)
        if o is None:
            return None
    return o


@pytest.mark.parametrize(("place", "value"), WANTED)
def test_it_arrives_in_every_deployment(everything: Rendering, place: str, value: Any) -> None:
    found = {o["metadata"]["name"]: at(o, place) for o in kinds(everything.own, "Deployment")}
    assert len(found) == 6
    lacking = {name for name, there in found.items() if value != there and value not in _list(there)}
    assert lacking == set()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def test_init_containers_of_the_operator_come_after_the_wait_for_the_schema(everything: Rendering) -> None:
    for o in kinds(everything.own, "Deployment"):
        names = [container["name"] for container in o["spec"]["template"]["spec"]["initContainers"]]
        assert names[-1] == "hello"


def test_objects_of_the_operator_are_templates(everything: Rendering) -> None:
    extra = next(
        o for o in kinds(everything.objects, "ConfigMap") if o["metadata"]["name"] == "pilothouse-extra"
    )
    assert extra["data"] == {"GREETING": "Hello from pilothouse"}


def test_an_operators_variable_wins_over_the_charts() -> None:
    changed = {"query": {"extraEnv": [{"name": "PILOTHOUSE_SERVER_GRACE", "value": "7"}]}}
    objects = Rendering(
        EVERYTHING, HELMS[0], EVERYTHING.also(values=changed).install.render(HELMS[0])
    ).objects
    query = next(o for o in kinds(objects, "Deployment") if o["metadata"]["name"] == "pilothouse-query")
    env = query["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [v["value"] for v in env if v["name"] == "PILOTHOUSE_SERVER_GRACE"] == ["7"]


def test_a_drain_may_take_one_of_several_pods_and_the_only_one(renderings: Renderings) -> None:
    def budgets(name: str) -> set[str]:
        scenario = next(s for s in scenarios() if s.name == name)
        found = kinds(renderings.get(scenario, HELMS[0]).own, "PodDisruptionBudget")
        return {o["metadata"]["name"].removeprefix("pilothouse-") for o in found}

    assert {"chat-ui", "query", "ingest", "ingest-worker"} <= budgets("ha")
    assert budgets("cpu") == set()


def test_developers_have_no_network_policy(renderings: Renderings) -> None:
    dev = next(s for s in scenarios() if s.name == "dev")
    assert [o["metadata"]["name"] for o in kinds(renderings.get(dev, HELMS[0]).own, "NetworkPolicy")] == []
