"""Whatever selects or names pods and Services finds them in the release."""

from collections.abc import Iterator, Set
from typing import Any

from support.charts.helm import Object
from support.charts.pods import Pod, kinds, matches, pods, title

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


COMPONENT = "app.kubernetes.io/component"


def components(objects: list[Object]) -> set[str]:
    """The parts of the product that these objects run."""
    return {pod.labels[COMPONENT] for pod in pods(objects) if COMPONENT in pod.labels}


def problems(objects: list[Object], elsewhere: Set[str]) -> Iterator[str]:
    """`elsewhere` are parts of the product that are not always installed: a policy may name them anyway."""
    everything = pods(objects)
    yield from _workloads(objects, everything)
    yield from _services(objects, everything)
    yield from _budgets(objects, everything)
    yield from _scalers(objects)
    yield from _monitors(objects, everything)
    yield from _policies(objects, everything, elsewhere)
    yield from _spread(everything)


def _workloads(objects: list[Object], everything: list[Pod]) -> Iterator[str]:
    for workload in kinds(objects, *WORKLOADS):
        owners = {title(pod.owner) for pod in everything if matches(workload["spec"]["selector"], pod.labels)}
        if owners != {title(workload)}:
            yield f"{title(workload)} selects the pods of {sorted(owners) or 'nothing'}, and not only its own"


def _services(objects: list[Object], everything: list[Pod]) -> Iterator[str]:
    for service in kinds(objects, "Service"):
        if "selector" not in service["spec"]:
            continue
        selected = [p for p in everything if matches({"matchLabels": service["spec"]["selector"]}, p.labels)]
        yield from _one_owner(service, selected)
        for port in service["spec"].get("ports", []):
            target = port.get("targetPort", port["port"])
            for pod in selected:
                if target not in pod.ports:
                    yield f"{title(service)}: {pod} has no port {target!r}"


def _budgets(objects: list[Object], everything: list[Pod]) -> Iterator[str]:
    for budget in kinds(objects, "PodDisruptionBudget"):
        yield from _one_owner(
            budget, [p for p in everything if matches(budget["spec"]["selector"], p.labels)]
        )


def _one_owner(o: Object, selected: list[Pod]) -> Iterator[str]:
    owners = sorted({str(pod) for pod in selected})
    if not owners:
        yield f"{title(o)} selects no pod"
    elif len(owners) > 1:
        yield f"{title(o)} selects the pods of {', '.join(owners)}"


def _scalers(objects: list[Object]) -> Iterator[str]:
    there = {(o["kind"], o["metadata"]["name"]): o for o in objects}
    targets: list[tuple[str, str]] = []
    for scaler in kinds(objects, "HorizontalPodAutoscaler", "ScaledObject"):
        reference = scaler["spec"]["scaleTargetRef"]
        target = (reference.get("kind", "Deployment"), reference["name"])
        targets.append(target)
        if target not in there:
            yield f"{title(scaler)} scales {'/'.join(target)}, which is not there"
        elif "replicas" in there[target]["spec"]:
            yield f"{title(scaler)} scales {'/'.join(target)}, which says a number of replicas itself"
    for target in sorted({t for t in targets if targets.count(t) > 1}):
        yield f"{'/'.join(target)} is scaled twice"


def _monitors(objects: list[Object], everything: list[Pod]) -> Iterator[str]:
    for monitor in kinds(objects, "ServiceMonitor"):
        found = [s for s in kinds(objects, "Service") if matches(monitor["spec"]["selector"], _labels(s))]
        if not found:
            yield f"{title(monitor)} selects no Service"
        for endpoint in monitor["spec"]["endpoints"]:
            for service in found:
                if endpoint["port"] not in {port.get("name") for port in service["spec"]["ports"]}:
                    yield f"{title(monitor)}: {title(service)} has no port {endpoint['port']!r}"
    for monitor in kinds(objects, "PodMonitor"):
        selected = [pod for pod in everything if matches(monitor["spec"]["selector"], pod.labels)]
        if not selected:
            yield f"{title(monitor)} selects no pod"
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            for pod in selected:
                if pod.ports and endpoint["port"] not in pod.ports:
                    yield f"{title(monitor)}: {pod} has no port {endpoint['port']!r}"


def _labels(o: Object) -> dict[str, str]:
    labels: dict[str, str] = o["metadata"].get("labels", {})
    return labels


def _policies(objects: list[Object], everything: list[Pod], elsewhere: Set[str]) -> Iterator[str]:
    for policy in kinds(objects, "NetworkPolicy"):
        own = [pod for pod in everything if matches(policy["spec"]["podSelector"], pod.labels)]
        if not own:
            yield f"{title(policy)} selects no pod"
        rules = policy["spec"].get("ingress") or []
        for rule in rules:
            yield from _ports(policy, own, rule.get("ports", []))
        peers = [peer for rule in rules for peer in rule.get("from", [])]
        for rule in policy["spec"].get("egress") or []:
            peers += rule.get("to", [])
            for selector in filter(None, map(_within, rule.get("to", []))):
                there = [pod for pod in everything if matches(selector, pod.labels)]
                yield from _ports(policy, there, rule.get("ports", []))
        for selector in filter(None, map(_within, peers)):
            named = _named(selector)
            absent = named - {pod.labels.get(COMPONENT) for pod in everything}
            if unknown := sorted(absent - elsewhere):
                yield f"{title(policy)} names pods of {', '.join(unknown)}, and there are none"
            elif (absent != named or not named) and not any(matches(selector, p.labels) for p in everything):
                yield f"{title(policy)} names pods {selector}, and there are none"


def _named(selector: Object) -> set[str]:
    """The parts of the product that a selector names."""
    label = selector.get("matchLabels", {}).get(COMPONENT)
    listed = [e for e in selector.get("matchExpressions", []) if e["key"] == COMPONENT]
    return {*([label] if label else []), *(value for e in listed for value in e.get("values", []))}


def _within(peer: Object) -> Object | None:
    """The selector of a peer in the same namespace."""
    return None if "namespaceSelector" in peer else peer.get("podSelector")


def _ports(policy: Object, selected: list[Pod], ports: list[Object]) -> Iterator[str]:
    listening = [pod for pod in selected if pod.ports]
    for port in (p["port"] for p in ports if "endPort" not in p):
        if listening and not any(port in pod.ports for pod in listening):
            owners = ", ".join(sorted({str(pod) for pod in listening}))
            yield f"{title(policy)}: none of {owners} has a port {port!r}"


def _spread(everything: list[Pod]) -> Iterator[str]:
    for pod in everything:
        for constraint in pod.spec.get("topologySpreadConstraints", []):
            if not matches(constraint.get("labelSelector"), pod.labels):
                yield f"{pod}: the spread over {constraint['topologyKey']} does not count its own pods"
        affinity: Any = pod.spec.get("affinity", {}).get("podAntiAffinity", {})
        wanted = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", [])
        wanted = wanted + [
            t["podAffinityTerm"] for t in affinity.get("preferredDuringSchedulingIgnoredDuringExecution", [])
        ]
        for term in wanted:
            if not matches(term.get("labelSelector"), pod.labels):
                yield f"{pod}: the anti-affinity over {term['topologyKey']} does not count its own pods"
