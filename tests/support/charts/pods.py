"""The pods that a set of objects leads to, those of operators included."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from support.charts.helm import Object

AUTOSCALER = "autoscaler"


@dataclass(frozen=True)
class Pod:
    owner: Object
    labels: dict[str, str]
    spec: Object
    # An operator makes it: what is in it is that operator's affair, but its labels and ports are known.
    operated: bool = False

    @property
    def containers(self) -> list[Object]:
        """All of them, init containers first."""
        return [*self.spec.get("initContainers", []), *self.spec.get("containers", [])]

    @property
    def ports(self) -> dict[str | int, int]:
        """Port number by number and by name, of the containers that go on running."""
        running = [c for c in self.spec.get("initContainers", []) if c.get("restartPolicy") == "Always"]
        found: dict[str | int, int] = {}
        for container in [*running, *self.spec.get("containers", [])]:
            for port in container.get("ports", []):
                number = port["containerPort"]
                found[number] = number
                if "name" in port:
                    found[port["name"]] = number
        return found

    def __str__(self) -> str:
        return title(self.owner)


def title(o: Object) -> str:
    return f"{o['kind']}/{o['metadata'].get('name', '?')}"


def kinds(objects: list[Object], *wanted: str) -> Iterator[Object]:
    return (o for o in objects if o["kind"] in wanted)


def one(objects: list[Object], kind: str, name: str) -> Object:
    return next(o for o in kinds(objects, kind) if o["metadata"]["name"] == name)


def environment(container: Object) -> dict[str, str]:
    """Its variables that are plain text."""
    return {v["name"]: v["value"] for v in container.get("env", []) if "value" in v}


def pods(objects: list[Object]) -> list[Pod]:
    return [pod for o in objects for pod in _pods_of(o)]


def own_pods(objects: list[Object]) -> list[Pod]:
    """Those whose content the charts decide."""
    return [pod for pod in pods(objects) if not pod.operated]


def _pods_of(o: Object) -> Iterator[Pod]:
    spec = o.get("spec", {})
    match o["kind"]:
        case "Pod":
            yield Pod(o, o["metadata"].get("labels", {}), spec)
        case "Deployment" | "StatefulSet" | "DaemonSet" | "Job":
            yield _templated(o, spec["template"])
        case "CronJob":
            yield _templated(o, spec["jobTemplate"]["spec"]["template"])
        case "RayJob":
            yield from (_templated(o, template) for template in _ray_templates(spec))
        case "Cluster":
            yield from _database_pods(o)
        case "Pooler":
            labels = {"cnpg.io/poolerName": o["metadata"]["name"], "cnpg.io/podRole": "pooler"}
            labels["cnpg.io/cluster"] = spec["cluster"]["name"]
            template = spec.get("template", {})
            labels |= template.get("metadata", {}).get("labels", {})
            yield Pod(o, labels, _listening(pgbouncer=5432, metrics=9127), operated=True)


def _ray_templates(spec: Object) -> Iterator[Object]:
    """Of the head with the autoscaler that KubeRay puts beside it, the workers, and who submits the job."""
    cluster = spec.get("rayClusterSpec", {})
    head = cluster["headGroupSpec"]["template"]
    if cluster.get("enableInTreeAutoscaling"):
        autoscaler = {"name": AUTOSCALER, **cluster.get("autoscalerOptions", {})}
        head = {**head, "spec": {**head["spec"], "containers": [*head["spec"]["containers"], autoscaler]}}
    yield head
    yield from (group["template"] for group in cluster.get("workerGroupSpecs", []))
    if "submitterPodTemplate" in spec:
        yield spec["submitterPodTemplate"]


def _templated(owner: Object, template: Object) -> Pod:
    return Pod(owner, template.get("metadata", {}).get("labels", {}), template["spec"])


def _database_pods(cluster: Object) -> Iterator[Pod]:
    """CloudNativePG's instances, and the Jobs by which it makes, joins and restores them."""
    inherited = cluster["spec"].get("inheritedMetadata", {}).get("labels", {})
    labels = {**inherited, "cnpg.io/cluster": cluster["metadata"]["name"]}
    instance = {"cnpg.io/podRole": "instance", "role": "primary", "cnpg.io/instanceRole": "primary"}
    ports = _listening(postgresql=5432, metrics=9187, status=8000)
    yield Pod(cluster, labels | instance, ports, operated=True)
    yield Pod(cluster, labels | {"cnpg.io/jobRole": "initdb"}, {"containers": []}, operated=True)


def _listening(**ports: int) -> dict[str, Any]:
    named = [{"name": name, "containerPort": number} for name, number in ports.items()]
    return {"containers": [{"name": "main", "ports": named}]}


def matches(selector: Object | None, labels: dict[str, str]) -> bool:
    """What a LabelSelector says; an empty one matches everything, none at all nothing."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for expression in selector.get("matchExpressions") or []:
        value = labels.get(expression["key"])
        satisfied = {
            "In": value in expression.get("values", []),
            "NotIn": value not in expression.get("values", []),
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[expression["operator"]]
        if not satisfied:
            return False
    return True
