"""Names, labels, images and literals: what can be said of each object by itself, or of all together."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from support.charts.helm import Object
from support.charts.pods import own_pods, title

LABELS = (
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/version",
    "app.kubernetes.io/managed-by",
    "helm.sh/chart",
)
IN_SELECTORS = {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"}
CLUSTER_SCOPED = {
    "APIService",
    "ClusterImageCatalog",
    "ClusterIssuer",
    "ClusterQueue",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterTriggerAuthentication",
    "CustomResourceDefinition",
    "DeviceClass",
    "GatewayClass",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "PersistentVolume",
    "PriorityClass",
    "ResourceFlavor",
    "RuntimeClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
    "WorkloadPriorityClass",
}
# Deployments put a hash and a pod's own suffix behind their name, Services are host names.
LONGEST_NAME = 63
SECRET_NAME = re.compile(r"PASSWORD|PASSWD|TOKEN|SECRET|CREDENTIAL|(?:^|_)KEYS?$", re.IGNORECASE)
SECRET_FLAG = re.compile(r"--[a-z-]*(?:password|token|secret|api-key)[a-z-]*(?:=\S|$)")
PASSWORD_IN_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
# What the operator of a scenario brings himself.
FOREIGN = "registry.example.org/"
# They say where a secret is, or how many tokens of text.
NOT_A_SECRET = re.compile(r"(?:_FILE|_PATH|_HEADER|_NAME|TOKENIZERS_PARALLELISM|_TOKENS)$")


def names(objects: list[Object], namespace: str) -> Iterator[str]:
    """Each name once, of a length and form that Kubernetes takes, and nothing outside the namespace."""
    counted = Counter((o["kind"], o["metadata"]["name"]) for o in objects)
    yield from (f"{kind}/{name} is there {n} times" for (kind, name), n in counted.items() if n > 1)
    for o in objects:
        if o["kind"] in CLUSTER_SCOPED:
            yield f"{title(o)} belongs to the whole cluster"
        if o["metadata"].get("namespace", namespace) != namespace:
            yield f"{title(o)} is put into another namespace"
        name = o["metadata"]["name"]
        if len(name) > LONGEST_NAME or not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", name):
            yield f"{title(o)} has a name that is too long or not a host name"


def labels(objects: list[Object]) -> Iterator[str]:
    for o in objects:
        found = o["metadata"].get("labels", {})
        yield from (f"{title(o)} has no label {label}" for label in LABELS if not found.get(label))
    for pod in own_pods(objects):
        missing = [label for label in LABELS if label != "helm.sh/chart" and not pod.labels.get(label)]
        yield from (f"the pods of {pod} have no label {label}" for label in missing)
    for o in objects:
        selector = o.get("spec", {}).get("selector", {})
        used = selector if o["kind"] == "Service" else selector.get("matchLabels", {})
        if o["kind"] in ("Deployment", "StatefulSet", "Service") and set(used) != IN_SELECTORS:
            yield f"{title(o)} selects by {', '.join(sorted(used))}"


def unique_in_lists(objects: list[Object]) -> Iterator[str]:
    """Server-side apply refuses a list that has one key twice."""
    for pod in own_pods(objects):
        everywhere = {"containers": [c["name"] for c in pod.containers]}
        everywhere["volumes"] = [v["name"] for v in pod.spec.get("volumes", [])]
        for container in pod.containers:
            name = container["name"]
            everywhere[f"{name}: env"] = [v["name"] for v in container.get("env", [])]
            everywhere[f"{name}: ports"] = [p["containerPort"] for p in container.get("ports", [])]
            everywhere[f"{name}: mounts"] = [m["mountPath"] for m in container.get("volumeMounts", [])]
        for place, keys in everywhere.items():
            yield from (f"{pod}: {place}: {key} twice" for key, n in Counter(keys).items() if n > 1)


def literal_secrets(objects: list[Object]) -> Iterator[str]:
    for pod in own_pods(objects):
        for container in pod.containers:
            for variable in container.get("env", []):
                name, value = variable["name"], variable.get("value", "")
                named = SECRET_NAME.search(name) and not NOT_A_SECRET.search(name)
                if value and ((named and "$(" not in value) or PASSWORD_IN_URL.search(value)):
                    yield f"{pod}: {container['name']}: {name} holds a secret in plain text"
            for word in [*container.get("command", []), *container.get("args", [])]:
                if SECRET_FLAG.search(word) or PASSWORD_IN_URL.search(word):
                    yield f"{pod}: {container['name']}: an argument holds a secret: {word.split('=')[0]}"
    for o in objects:
        for key, value in o.get("data", {}).items() if o["kind"] == "ConfigMap" else ():
            if PASSWORD_IN_URL.search(value) or (SECRET_NAME.search(key) and not NOT_A_SECRET.search(key)):
                yield f"{title(o)}: {key} holds a secret in plain text"
        if o["kind"] == "Secret" and (o.get("data") or o.get("stringData")):
            yield f"{title(o)} is rendered, so it changes or shows with every rendering"


def grace(objects: list[Object]) -> Iterator[str]:
    """A pod that goes has time for its pause and for the requests that its program lets end."""
    for pod in own_pods(objects):
        given = pod.spec.get("terminationGracePeriodSeconds", 30)
        for container in pod.containers:
            env = {variable["name"]: variable.get("value") for variable in container.get("env", [])}
            pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            wanted = pause + int(env.get("PILOTHOUSE_SERVER_GRACE") or 0)
            if wanted > given:
                yield f"{pod}: {container['name']} wants {wanted} s to end, and the pod has {given}"


def images(objects: list[Object]) -> set[str]:
    """Every image that the release asks for, those that operators pull for it included."""
    return {image for o in objects for image in _images(o) if not image.startswith(FOREIGN)}


def _images(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, child in value.items():
            if key in ("image", "imageName") and isinstance(child, str):
                yield child
            else:
                yield from _images(child)
    elif isinstance(value, list):
        for child in value:
            yield from _images(child)


def moving_images(found: Iterable[str]) -> Iterator[str]:
    for image in sorted(found):
        tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
        if "@sha256:" not in image and not tag:
            yield f"{image} has neither tag nor digest"
        if tag in ("latest", "main", "master", "edge", "nightly"):
            yield f"{image} may be another image tomorrow"


def pull_secrets(objects: list[Object], wanted: str) -> Iterator[str]:
    """Pods, and the pods of operators, that do not name the pull secret."""
    for pod in own_pods(objects):
        if {"name": wanted} not in pod.spec.get("imagePullSecrets", []):
            yield f"{pod} does not name the pull secret"
    for o in objects:
        spec = o["spec"].get("template", {}).get("spec", {}) if o["kind"] == "Pooler" else o.get("spec", {})
        if o["kind"] in ("Cluster", "Pooler") and {"name": wanted} not in spec.get("imagePullSecrets", []):
            yield f"{title(o)} does not name the pull secret"
