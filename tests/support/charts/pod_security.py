"""The Pod Security Standard "restricted", and what this house asks for beyond it."""

from collections.abc import Iterator

from support.charts.helm import Object
from support.charts.pods import AUTOSCALER, Pod, own_pods

# https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
HOST_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")
SECCOMP = ("RuntimeDefault", "Localhost")
# How much memory an engine needs is the model's affair, and a limit that is too low kills it in mid-answer.
UNLIMITED = (
    "huggingface/text-generation-inference",
    "vllm/vllm-openai",
    "huggingface/text-embeddings-inference",
)
CREDENTIALS = ["python", "-m", "pilothouse_core.credentials"]


def problems(objects: list[Object]) -> Iterator[str]:
    for pod in own_pods(objects):
        for problem in (*_restricted_pod(pod), *_house_pod(pod)):
            yield f"{pod}: {problem}"
        for container in pod.containers:
            for problem in (*_restricted_container(pod, container), *_house_container(container)):
                yield f"{pod}: {container['name']}: {problem}"


def _restricted_pod(pod: Pod) -> Iterator[str]:
    for name in HOST_NAMESPACES:
        if pod.spec.get(name):
            yield f"{name} is not allowed"
    for volume in pod.spec.get("volumes", []):
        if kinds := set(volume) - {"name"} - VOLUMES:
            yield f"volume {volume['name']} is a {', '.join(sorted(kinds))}, which is not allowed"
    if pod.spec.get("securityContext", {}).get("sysctls"):
        yield "sysctls are not allowed"


def _restricted_container(pod: Pod, container: Object) -> Iterator[str]:
    ours = container.get("securityContext", {})
    pods = pod.spec.get("securityContext", {})
    if ours.get("privileged"):
        yield "it is privileged"
    if ours.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if ours.get("runAsNonRoot", pods.get("runAsNonRoot")) is not True:
        yield "runAsNonRoot is not true"
    if ours.get("runAsUser", pods.get("runAsUser")) == 0:
        yield "it runs as root"
    if ours.get("seccompProfile", pods.get("seccompProfile", {})).get("type") not in SECCOMP:
        yield "it has no seccompProfile"
    capabilities = ours.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", []):
        yield "it does not drop all capabilities"
    if set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "it adds capabilities"
    if ours.get("procMount", "Default") != "Default":
        yield "procMount is not allowed"
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield "hostPort is not allowed"


def _house_pod(pod: Pod) -> Iterator[str]:
    if pod.spec.get("automountServiceAccountToken") is not False:
        yield "the ServiceAccount's token is mounted"
    if pod.spec.get("enableServiceLinks") is not False:
        yield "enableServiceLinks is not false, so a Service's name may become a setting"
    if pod.spec.get("serviceAccountName", "default") == "default":
        yield "it has no ServiceAccount of its own"
    tokens = {v["name"] for v in pod.spec.get("volumes", []) if _holds_token(v)}
    for container in pod.containers:
        mounted = tokens & {mount["name"] for mount in container.get("volumeMounts", [])}
        if mounted and not _needs_token(pod, container):
            yield f"{container['name']} has a token; only what makes credentials or scales Ray may have one"


def _holds_token(volume: Object) -> bool:
    return any("serviceAccountToken" in source for source in volume.get("projected", {}).get("sources", []))


def _needs_token(pod: Pod, container: Object) -> bool:
    if pod.owner["kind"] == "RayJob":
        return bool(container["name"] == AUTOSCALER)
    return pod.owner["kind"] == "Job" and bool(container.get("args", [])[:3] == CREDENTIALS)


def _house_container(container: Object) -> Iterator[str]:
    if container.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
        yield "its root file system can be written"
    resources = container.get("resources", {})
    for name in ("cpu", "memory"):
        if name not in resources.get("requests", {}):
            yield f"it requests no {name}"
    if "memory" not in resources.get("limits", {}) and not any(e in container["image"] for e in UNLIMITED):
        yield "its memory has no limit"
