"""What an operator would look at when something does not come up: pods, warnings, last words."""

from collections.abc import Iterator

from support.cluster.kubectl import KubectlFailed, Namespace, Object

LINES = 25


def diagnosis(namespace: Namespace, selector: str = "") -> str:
    """Pods of the namespace, its warnings, and the logs of whatever is not ready."""
    return "\n".join(_parts(namespace, selector))


def _parts(namespace: Namespace, selector: str) -> Iterator[str]:
    try:
        yield namespace.kubectl("get", "pods,jobs,pvc", "--output", "wide")
        yield "Warnings:"
        yield from _warnings(namespace)
        for pod in namespace.list("pod", selector):
            if not is_ready(pod) and pod["status"]["phase"] != "Succeeded":
                yield from _last_words(namespace, pod)
    except KubectlFailed as exc:
        yield str(exc)


def _warnings(namespace: Namespace) -> Iterator[str]:
    events = [event for event in namespace.list("event") if event["type"] != "Normal"]
    events.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    for event in events[-LINES:]:
        about = event["involvedObject"]
        yield f"  {about['kind']}/{about['name']}: {event['reason']}: {event['message']}"


def _last_words(namespace: Namespace, pod: Object) -> Iterator[str]:
    name = pod["metadata"]["name"]
    status = pod["status"]
    for container in (*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])):
        state = container.get("state", {})
        restarts = container["restartCount"]
        yield f"{name}/{container['name']}: ready={container['ready']} restarts={restarts} {state}"
        for previous in (False, True) if restarts else (False,):
            try:
                text = namespace.logs(name, container=container["name"], lines=LINES, previous=previous)
            except KubectlFailed as exc:
                text = str(exc)
            yield f"--- log{' of the run before' if previous else ''}\n{text.rstrip()}"


def is_ready(pod: Object) -> bool:
    """Whether the pod serves; one that is being deleted does not count."""
    if "deletionTimestamp" in pod["metadata"]:
        return False
    conditions = pod["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def waiting_reasons(pod: Object) -> list[str]:
    """Why its containers do not run, as `kubectl get pods` would say: ImagePullBackOff, CrashLoopBackOff…"""
    status = pod["status"]
    containers = (*status.get("initContainerStatuses", []), *status.get("containerStatuses", []))
    states = [container.get("state", {}).get("waiting", {}) for container in containers]
    return [str(state["reason"]) for state in states if "reason" in state]
