"""Pods that try to connect: from outside a release, and from inside its own pods."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from support.charts.helm import CHARTS
from support.cluster.kubectl import Namespace, Object

# Tells, for each name, whether a connection stands within three seconds; all at the same time.
KNOCK = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

def knock(target):
    host, port = target
    try:
        socket.create_connection((host, port), timeout=3).close()
    except OSError as exc:
        return type(exc).__name__
    return "open"

targets = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(targets)) as threads:
    print(json.dumps(dict(zip(targets, threads.map(knock, targets.values())))))
"""
LOOK_UP = "import socket, sys; print(socket.gethostbyname(sys.argv[1]))"
WAIT = "import signal; signal.pause()"

Targets = Mapping[str, tuple[str, int]]


@dataclass(frozen=True)
class Stranger:
    """A running pod with Python in it, in which commands can be run."""

    namespace: Namespace
    pod: str
    container: str = ""

    def knock(self, targets: Targets) -> dict[str, str]:
        """For each target `open`, or the name of the error. One that is dropped is a TimeoutError."""
        wanted = json.dumps({name: list(where) for name, where in targets.items()})
        said = self.namespace.execute(
            self.pod, ["python", "-c", KNOCK, wanted], container=self.container, seconds=60
        )
        answers = json.loads(said)
        assert isinstance(answers, dict)
        return answers

    def look_up(self, name: str) -> str:
        """The address of a name. Raises KubectlFailed when there is none."""
        return self.namespace.execute(
            self.pod, ["python", "-c", LOOK_UP, name], container=self.container, seconds=60
        ).strip()


def start_stranger(
    namespace: Namespace, name: str, image: str, labels: dict[str, str] | None = None
) -> Stranger:
    """A pod that belongs to nobody and waits for commands."""
    namespace.apply(stranger_pod(name, image, labels or {"app": "stranger"}))
    namespace.wait(f"pod/{name}", "condition=Ready", 120)
    return Stranger(namespace, name)


def stranger_pod(name: str, image: str, labels: dict[str, str], program: str = WAIT) -> Object:
    """A pod that runs a few lines of Python and is admitted anywhere."""
    container = {
        "name": "stranger",
        "image": image,
        "command": ["python", "-c", program],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "resources": {"requests": {"cpu": "5m", "memory": "32Mi"}, "limits": {"cpu": "1", "memory": "128Mi"}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "containers": [container],
            "securityContext": security,
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
        },
    }


def image(service: str) -> str:
    """The image of a service as the charts name it by default."""
    version = yaml.safe_load((CHARTS / "pilothouse" / "Chart.yaml").read_text(encoding="utf-8"))["appVersion"]
    return f"ghcr.io/pilothouse/{service}:{version}"
