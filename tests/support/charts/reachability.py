"""Who must talk to whom may, under the NetworkPolicies; and every pod is fenced in both directions."""

from collections.abc import Iterator

from support.charts.helm import Object
from support.charts.pods import Pod, kinds, matches, own_pods, pods
from support.charts.references import addresses, in_cluster


def problems(objects: list[Object], *, fenced: bool = True) -> Iterator[str]:
    policies = list(kinds(objects, "NetworkPolicy"))
    for pod in pods(objects) if fenced else ():
        for direction in ("Ingress", "Egress"):
            if not _fencing(policies, pod, direction):
                yield f"{pod}: no NetworkPolicy limits its {direction.lower()}"
    for pod in own_pods(objects):
        yield from _name_lookup(policies, pod)
        yield from _connections(objects, policies, pod)


def _fencing(policies: list[Object], pod: Pod, direction: str) -> list[Object]:
    return [
        policy
        for policy in policies
        if matches(policy["spec"]["podSelector"], pod.labels)
        and direction in policy["spec"].get("policyTypes", ["Ingress"])
    ]


def _name_lookup(policies: list[Object], pod: Pod) -> Iterator[str]:
    fences = _fencing(policies, pod, "Egress")
    rules = [r for policy in fences for r in (policy["spec"].get("egress") or [])]
    if not fences or (not rules and not list(addresses(pod))):
        return
    for protocol in ("UDP", "TCP"):
        if not any({"port": 53, "protocol": protocol} in rule.get("ports", []) for rule in rules):
            yield f"{pod} may not look up names over {protocol}"


def _connections(objects: list[Object], policies: list[Object], client: Pod) -> Iterator[str]:
    """Each Service that the client's settings name, seen from both ends."""
    services = {service["metadata"]["name"]: service for service in kinds(objects, "Service")}
    for host, port in sorted(set(addresses(client)), key=str):
        name = in_cluster(host)
        for server, number in _behind(objects, services, name, port) if name else ():
            outgoing = _fencing(policies, client, "Egress")
            if outgoing and not _allowed(outgoing, "egress", "to", server, server, number):
                yield f"{client} may not reach {server} on {number}, which its settings name as {host}"
            incoming = _fencing(policies, server, "Ingress")
            if incoming and not _allowed(incoming, "ingress", "from", client, server, number):
                yield f"{server} lets nothing of {client} in on {number}, whose settings name it as {host}"


def _behind(
    objects: list[Object], services: dict[str, Object], name: str, port: int | None
) -> Iterator[tuple[Pod, int]]:
    """The pods behind a Service and the port they listen on; CloudNativePG's Services are known by name."""
    everything = pods(objects)
    if name in services:
        spec = services[name]["spec"]
        for pod in (p for p in everything if matches({"matchLabels": spec.get("selector", {})}, p.labels)):
            for entry in spec["ports"]:
                target = entry.get("targetPort", entry["port"])
                if port in (None, entry["port"]) and target in pod.ports:
                    yield pod, pod.ports[target]
        return
    for pod in everything:
        database = pod.owner["kind"] == "Cluster" and pod.ports
        if (database and name.rpartition("-")[0] == pod.owner["metadata"]["name"]) or (
            pod.owner["kind"] == "Pooler" and name == pod.owner["metadata"]["name"]
        ):
            yield pod, 5432


def _allowed(policies: list[Object], rules: str, peers: str, peer: Pod, server: Pod, number: int) -> bool:
    """Whether one rule has both the other pod and the server's port. Addresses do not stand for pods."""
    for policy in policies:
        for rule in policy["spec"].get(rules) or []:
            ports = rule.get("ports")
            port_fits = not ports or any(
                server.ports.get(p.get("port")) == number or p.get("port") == number for p in ports
            )
            others = rule.get(peers)
            peer_fits = not others or any(
                "podSelector" in other
                and "namespaceSelector" not in other
                and matches(other["podSelector"], peer.labels)
                for other in others
            )
            if port_fits and peer_fits:
                return True
    return False
