"""A cluster that only answers questions, for what charts look up while they are rendered.

It knows the kinds it is told, its nodes and its storage classes, and refuses to show what is forbidden.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from support.charts.helm import OPERATORS, Object

NODES = "/api/v1/nodes"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

KINDS = {
    "v1": ["Node", "Pod", "Service", "ServiceAccount", "ConfigMap", "Secret", "PersistentVolumeClaim"],
    "apiextensions.k8s.io/v1": ["CustomResourceDefinition"],
    "apps/v1": ["Deployment"],
    "autoscaling/v2": ["HorizontalPodAutoscaler"],
    "batch/v1": ["Job"],
    "networking.k8s.io/v1": ["Ingress", "NetworkPolicy"],
    "policy/v1": ["PodDisruptionBudget"],
    "rbac.authorization.k8s.io/v1": ["Role", "RoleBinding"],
    "storage.k8s.io/v1": ["StorageClass"],
}


@dataclass(frozen=True)
class Cluster:
    nodes: Sequence[Object] = ()
    classes: Sequence[Object] = ()
    definitions: Sequence[Object] = ()
    # Paths that the caller may not read.
    forbidden: Sequence[str] = ()
    apis: Sequence[str] = OPERATORS

    def answer(self, path: str) -> tuple[int, Object]:
        """Status and body of a GET."""
        if any(path.startswith(start) for start in self.forbidden):
            return 403, _status(403, "Forbidden", f"you may not list {path.rpartition('/')[2]}")
        fixed: dict[str, Object] = {
            "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": self._groups()},
            NODES: {"kind": "NodeList", "apiVersion": "v1", "items": list(self.nodes)},
            CLASSES: {
                "kind": "StorageClassList",
                "apiVersion": "storage.k8s.io/v1",
                "items": list(self.classes),
            },
        }
        for definition in self.definitions:
            fixed[f"{DEFINITIONS}/{definition['metadata']['name']}"] = definition
        if path in fixed:
            return 200, fixed[path]
        group = path.removeprefix("/apis/").removeprefix("/api/")
        if group in self._kinds():
            resources = [_resource(kind) for kind in self._kinds()[group]]
            return 200, {"kind": "APIResourceList", "groupVersion": group, "resources": resources}
        return 404, _status(404, "NotFound", f"{path} is not here")

    def _kinds(self) -> dict[str, list[str]]:
        kinds = {group: list(names) for group, names in KINDS.items()}
        for api in self.apis:
            group, _, kind = api.rpartition("/")
            kinds.setdefault(group, []).append(kind)
        return kinds

    def _groups(self) -> list[Object]:
        versions = [{"groupVersion": group, "version": group.rpartition("/")[2]} for group in self._kinds()]
        return [
            {"name": v["groupVersion"].rpartition("/")[0], "versions": [v], "preferredVersion": v}
            for v in versions
            if "/" in v["groupVersion"]
        ]


def node(**allocatable: int) -> Object:
    """With so much of each resource to give."""
    amounts = {name: str(amount) for name, amount in allocatable.items()}
    return {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n"}, "status": {"allocatable": amounts}}


def storage_class(name: str, provisioner: str = "example.org/nfs", *, default: bool = False) -> Object:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    metadata = {"name": name, "annotations": annotations}
    kind = {"kind": "StorageClass", "apiVersion": "storage.k8s.io/v1"}
    return {**kind, "metadata": metadata, "provisioner": provisioner}


def definition(name: str, fields: Sequence[str]) -> Object:
    """A CustomResourceDefinition whose objects have these fields, written like `spec.backup`."""
    schema: Object = {}
    for path in fields:
        at = schema
        for step in path.split("."):
            at = at.setdefault("properties", {}).setdefault(step, {})
        at["description"] = f"What {path} is for."
    version = {"name": "v1", "schema": {"openAPIV3Schema": schema}}
    kind = {"kind": "CustomResourceDefinition", "apiVersion": "apiextensions.k8s.io/v1"}
    return {**kind, "metadata": {"name": name}, "spec": {"versions": [version]}}


def _resource(kind: str) -> Object:
    plural = kind.lower() + ("es" if kind.endswith("s") else "s")
    namespaced = kind not in ("Node", "StorageClass", "CustomResourceDefinition")
    return {"name": plural, "kind": kind, "namespaced": namespaced, "verbs": ["get", "list"]}


def _status(code: int, reason: str, message: str) -> Object:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }


@contextmanager
def serving(cluster: Cluster, folder: Path) -> Iterator[Path]:
    """Path of a kubeconfig for it, in `folder`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = cluster.answer(self.path.partition("?")[0])
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "kubeconfig"
    named: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "u", "user": {}}],
    }
    config.write_text(json.dumps(named), encoding="utf-8")
    try:
        yield config
    finally:
        server.shutdown()
        server.server_close()
