"""Every name of something else means something that is there: in the release, or declared by the scenario."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from support.charts.helm import Object
from support.charts.pods import Pod, own_pods, title
from support.charts.scenario import External

# The cluster puts it into every namespace.
ROOT_CA = {"kube-root-ca.crt": {"ca.crt"}}
# What CloudNativePG writes into the Secrets it makes for a Cluster.
OWNER_KEYS = {
    "username",
    "password",
    "dbname",
    "host",
    "port",
    "user",
    "uri",
    "jdbc-uri",
    "pgpass",
    "fqdn-uri",
}
EXPANSION = re.compile(r"(?<!\$)\$\(([A-Za-z_][A-Za-z0-9_]*)\)")
URL = re.compile(r"\b(?:https?|postgres(?:ql)?)://(?:[^@/\s\"']*@)?([A-Za-z0-9.-]+)(?::(\d+))?")

# The ingest API takes the worker's settings, and never calls this server.
NOT_CALLED = (["python", "-m", "pilothouse_ingest", "api"], "PILOTHOUSE_EMBEDDING_URL")


@dataclass(frozen=True)
class Known:
    """What may be referred to."""

    secrets: dict[str, set[str]]
    config_maps: dict[str, set[str]]
    names: dict[str, set[str]]
    # Ports of each Service, by name and by number.
    services: dict[str, set[str | int]]


def known(objects: list[Object], external: External) -> Known:
    secrets = {name: set(keys) for name, keys in external.secrets.items()}
    config_maps = ROOT_CA | {name: set(keys) for name, keys in external.configMaps.items()}
    services: dict[str, set[str | int]] = {}
    names: dict[str, set[str]] = {
        "PersistentVolumeClaim": set(external.claims),
        "ServiceAccount": {"default", *external.serviceAccounts},
        "ObjectStore": set(external.objectStores),
        "ResourceClaim": set(external.resourceClaims),
    }
    for o in objects:
        name = o["metadata"]["name"]
        names.setdefault(o["kind"], set()).add(name)
        match o["kind"]:
            case "Secret":
                secrets[name] = {*o.get("data", {}), *o.get("stringData", {})}
            case "ConfigMap":
                config_maps[name] = {*o.get("data", {}), *o.get("binaryData", {})}
                secrets |= _wanted(o)
            case "Service":
                ports = o["spec"].get("ports", [])
                services[name] = {*(p["port"] for p in ports), *(p["name"] for p in ports if "name" in p)}
            case "Cluster":
                secrets |= {
                    f"{name}-app": OWNER_KEYS,
                    f"{name}-ca": {"ca.crt"},
                    f"{name}-server": {"tls.crt"},
                }
                services |= {f"{name}-{role}": {5432, "postgres"} for role in ("rw", "ro", "r")}
                names["ServiceAccount"].add(name)
            case "Pooler":
                services[name] = {5432, "pgbouncer"}
    return Known(secrets, config_maps, names, services)


def _wanted(config_map: Object) -> dict[str, set[str]]:
    """Secrets that the credentials Job makes from this ConfigMap."""
    content = config_map.get("data", {}).get("wanted.json")
    wanted = json.loads(content)["secrets"] if content else []
    return {s["name"]: {*s.get("data", {}), *s.get("random", {})} for s in wanted}


def problems(objects: list[Object], external: External) -> Iterator[str]:
    there = known(objects, external)
    for o in objects:
        yield from (f"{title(o)}: {problem}" for problem in _object(o, there))
    for pod in own_pods(objects):
        yield from (f"{pod}: {problem}" for problem in _pod(pod, there))
        yield from (f"{pod}: {problem}" for problem in _hosts(pod, there, external))


def _has(what: str, name: str, key: str | None, there: dict[str, set[str]]) -> Iterator[str]:
    if name not in there:
        yield f"{what} {name} is nowhere"
    elif key is not None and key not in there[name]:
        yield f"{what} {name} has no key {key!r}, only {', '.join(sorted(there[name]))}"


def _named(kind: str, name: str, there: Known) -> Iterator[str]:
    if name not in there.names.get(kind, set()):
        yield f"{kind} {name} is nowhere"


# ── anywhere in an object ────────────────────────────────────────────────────────────────────────


def _object(o: Object, there: Known) -> Iterator[str]:
    for parent, value in _mappings(o.get("spec", {}), ""):
        yield from _shapes(parent, value, there)
    spec = o.get("spec", {})
    match o["kind"]:
        case "Database" | "Pooler" | "ScheduledBackup" | "Backup" | "DatabaseRole":
            yield from _named("Cluster", spec["cluster"]["name"], there)
        case "RoleBinding":
            yield from _named(o["roleRef"]["kind"], o["roleRef"]["name"], there)
            for subject in o["subjects"]:
                yield from _named(subject["kind"], subject["name"], there)
        case "Ingress":
            for tls in spec.get("tls", []):
                yield from _has("Secret", tls["secretName"], None, there.secrets)
        case "HTTPRoute":
            for reference in (b for rule in spec["rules"] for b in rule.get("backendRefs", [])):
                yield from _service(reference["name"], reference["port"], there)
        case "StatefulSet":
            yield from _service(spec["serviceName"], None, there)
        case "ScaledObject":
            for trigger in (t for t in spec["triggers"] if "authenticationRef" in t):
                reference = trigger["authenticationRef"]
                yield from _named(reference.get("kind", "TriggerAuthentication"), reference["name"], there)


def _mappings(value: Any, parent: str) -> Iterator[tuple[str, Object]]:
    if isinstance(value, dict):
        yield parent, value
        for key, child in value.items():
            yield from _mappings(child, key)
    elif isinstance(value, list):
        for child in value:
            yield from _mappings(child, parent)


def _shapes(parent: str, value: Object, there: Known) -> Iterator[str]:
    """References that look alike in all kinds."""
    name = value.get("secretName") or value.get("name")
    if value.get("optional") or not isinstance(name or "", str):
        return
    match parent:
        case "configMapKeyRef" | "configMapRef" | "configMap" if name:
            yield from _items("ConfigMap", name, value, there.config_maps)
        case "secret" | "secretRef" | "passwordSecret" | "superuserSecret" | "secretTargetRef" if name:
            yield from _items("Secret", name, value, there.secrets)
        case "service" if name and "port" in value:
            yield from _service(name, value["port"].get("name", value["port"].get("number")), there)
        case "persistentVolumeClaim" if "claimName" in value:
            yield from _named("PersistentVolumeClaim", value["claimName"], there)
        case "parameters" if "barmanObjectName" in value:
            yield from _named("ObjectStore", value["barmanObjectName"], there)
        case _ if value.keys() == {"name", "key"}:
            yield from _has("Secret", value["name"], value["key"], there.secrets)


def _items(what: str, name: str, value: Object, there: dict[str, set[str]]) -> Iterator[str]:
    yield from _has(what, name, value.get("key"), there)
    for item in value.get("items", []):
        yield from _has(what, name, item["key"], there)


def _service(name: str, port: str | int | None, there: Known) -> Iterator[str]:
    if name not in there.services:
        yield f"Service {name} is nowhere"
    elif port is not None and port not in there.services[name]:
        yield f"Service {name} has no port {port!r}"


# ── inside a pod ─────────────────────────────────────────────────────────────────────────────────


def _pod(pod: Pod, there: Known) -> Iterator[str]:
    yield from _named("ServiceAccount", pod.spec.get("serviceAccountName", "default"), there)
    volumes = {volume["name"] for volume in pod.spec.get("volumes", [])}
    templates = pod.owner["spec"].get("volumeClaimTemplates", [])
    volumes |= {claim["metadata"]["name"] for claim in templates}
    claims = {claim["name"]: claim for claim in pod.spec.get("resourceClaims", [])}
    for claim in claims.values():
        kind = "ResourceClaimTemplate" if "resourceClaimTemplateName" in claim else "ResourceClaim"
        yield from _named(kind, claim.get("resourceClaimTemplateName") or claim["resourceClaimName"], there)
    mounted: set[str] = set()
    for container in pod.containers:
        for mount in container.get("volumeMounts", []):
            mounted.add(mount["name"])
            if mount["name"] not in volumes:
                yield f"{container['name']} mounts {mount['name']}, and there is no such volume"
        for claim in container.get("resources", {}).get("claims", []):
            if claim["name"] not in claims:
                yield f"{container['name']} wants the device {claim['name']}, and the pod does not claim it"
        yield from _inside(container)
    for name in sorted(volumes - mounted):
        yield f"volume {name} is mounted by no container"


def _inside(container: Object) -> Iterator[str]:
    """Port names of probes, and variables in arguments."""
    name = container["name"]
    ports = {port.get("name") for port in container.get("ports", [])}
    handlers = [container.get(p, {}) for p in ("startupProbe", "livenessProbe", "readinessProbe")]
    handlers += container.get("lifecycle", {}).values()
    for handler in handlers:
        for kind in ("httpGet", "tcpSocket", "grpc"):
            port = handler.get(kind, {}).get("port")
            if isinstance(port, str) and port not in ports:
                yield f"{name} is probed on port {port!r}, which it does not name"
    earlier: set[str] = set()
    for variable in container.get("env", []):
        for used in EXPANSION.findall(variable.get("value", "")):
            if used not in earlier:
                yield f"{name}: {variable['name']} uses $({used}), which no variable before it sets"
        earlier.add(variable["name"])
    for word in [*container.get("command", []), *container.get("args", [])]:
        for used in EXPANSION.findall(word):
            if used not in earlier:
                yield f"{name}: its arguments use $({used}), which no variable sets"


def addresses(pod: Pod) -> Iterator[tuple[str, int | None]]:
    """Hosts that its settings name, each with the port when there is one."""
    for container in pod.containers:
        arguments = container.get("args", [])
        called = [v for v in container.get("env", []) if (arguments, v["name"]) != NOT_CALLED]
        for text in [*(v.get("value", "") for v in called), *arguments]:
            for host, port in URL.findall(text):
                yield host, int(port) if port else None


def in_cluster(host: str) -> str | None:
    """The Service that a host name means, unless it is a name of the world outside."""
    first, _, rest = host.partition(".")
    if rest and not re.fullmatch(r"[a-z0-9-]+\.svc(\.cluster\.local)?", rest):
        return None
    return None if first in ("", "localhost") else first


def _hosts(pod: Pod, there: Known, external: External) -> Iterator[str]:
    for host, port in sorted(set(addresses(pod)), key=str):
        service = in_cluster(host)
        if service is None or host in external.hosts:
            continue
        default = 5432 if port is None and 5432 in there.services.get(service, set()) else 80
        yield from _service(service, port or default, there)
