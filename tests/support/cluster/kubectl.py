"""The API server as `kubectl` shows it, in JSON."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


class KubectlFailed(Exception):
    """The message is what kubectl said."""


def kubectl(*arguments: str, stdin: str | None = None, seconds: float = 300) -> str:
    """What `kubectl` writes. Raises KubectlFailed."""
    done = subprocess.run(
        ["kubectl", *arguments],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        raise KubectlFailed(f"kubectl {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def why_no_cluster() -> str:
    """A plain reason why no test can run here; empty when a cluster answers."""
    if shutil.which("kubectl") is None:
        return "there is no kubectl on this machine"
    try:
        kubectl("get", "--raw", "/readyz", "--request-timeout=10s")
    except (KubectlFailed, subprocess.TimeoutExpired) as exc:
        return f"no cluster answers: {exc}"
    return ""


@dataclass(frozen=True)
class Namespace:
    """One namespace and what lies in it."""

    name: str

    def kubectl(self, *arguments: str, stdin: str | None = None, seconds: float = 300) -> str:
        return kubectl("--namespace", self.name, *arguments, stdin=stdin, seconds=seconds)

    def find(self, kind: str, name: str) -> Object | None:
        """The object, or None when there is none of that name."""
        found = self.kubectl("get", kind, name, "--ignore-not-found", "--output", "json")
        return json.loads(found) if found else None

    def get(self, kind: str, name: str) -> Object:
        found = self.find(kind, name)
        if found is None:
            raise KubectlFailed(f"there is no {kind} {name} in {self.name}")
        return found

    def list(self, kind: str, selector: str = "") -> list[Object]:
        """Objects of a kind, by name."""
        wanted = ["--selector", selector] if selector else []
        found = json.loads(self.kubectl("get", kind, *wanted, "--output", "json"))["items"]
        return sorted(found, key=lambda o: str(o["metadata"]["name"]))

    def apply(self, *objects: Object) -> None:
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "--server-side", "--filename", "-", stdin=json.dumps(items))

    def patch(self, kind: str, name: str, change: Object, *, subresource: str = "") -> None:
        """Merges `change` into the object."""
        where = ["--subresource", subresource] if subresource else []
        self.kubectl("patch", kind, name, "--type", "merge", *where, "--patch", json.dumps(change))

    def delete(self, kind: str, name: str, *arguments: str) -> None:
        self.kubectl("delete", kind, name, "--ignore-not-found", *arguments)

    def execute(self, pod: str, command: Sequence[str], *, container: str = "", seconds: float = 120) -> str:
        """What the command writes in the pod."""
        where = ["--container", container] if container else []
        return self.kubectl("exec", pod, *where, "--", *command, seconds=seconds)

    def logs(self, pod: str, *, container: str = "", lines: int = 50, previous: bool = False) -> str:
        where = ["--container", container] if container else ["--all-containers"]
        before = ["--previous"] if previous else []
        return self.kubectl("logs", pod, *where, *before, "--tail", str(lines))

    def wait(self, what: str, condition: str, seconds: int = 300) -> None:
        """`kubectl wait`, with the state of the object when it does not come."""
        try:
            self.kubectl("wait", what, "--for", condition, f"--timeout={seconds}s", seconds=seconds + 30)
        except KubectlFailed as exc:
            raise AssertionError(f"{exc}\n{describe(self, what)}") from exc


def describe(namespace: Namespace, what: str) -> str:
    try:
        return namespace.kubectl("describe", what)
    except KubectlFailed as exc:
        return str(exc)


@contextmanager
def fresh_namespace(
    name: str, *, labels: dict[str, str] | None = None, keep: bool = False
) -> Iterator[Namespace]:
    """A namespace of that name with nothing of an earlier run in it; gone afterwards unless kept."""
    remove_namespace(name)
    metadata = {"name": name, "labels": labels or {}}
    body = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    kubectl("create", "--filename", "-", stdin=body)
    try:
        yield Namespace(name)
    finally:
        if not keep:
            remove_namespace(name)


def remove_namespace(name: str) -> None:
    """Takes the pods away first: a namespace that has some is looked at again only after half their grace."""
    if not kubectl("get", "namespace", name, "--ignore-not-found", "--output", "name"):
        return
    kinds = ("deployments", "jobs", "clusters.postgresql.cnpg.io", "scaledobjects.keda.sh")
    known = kubectl("api-resources", "--output", "name").split()
    present = [kind for kind in kinds if kind in known or f"{kind}.apps" in known or f"{kind}.batch" in known]
    for kind in (",".join(present), "pods"):
        kubectl("--namespace", name, "delete", kind, "--all", "--timeout=300s", seconds=330)
    kubectl("delete", "namespace", name, "--ignore-not-found", "--timeout=600s", seconds=630)
