"""Renders charts with the Helm that an operator has, and reads what comes out as the API server would."""

import functools
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

Object = dict[str, Any]
ROOT = Path(__file__).parents[3]
CHARTS = ROOT / "charts"
HELMS = ("helm4", "helm3")

# What a cluster with every operator offers beside Kubernetes itself. Without one, `helm template` knows none.
OPERATORS = (
    "postgresql.cnpg.io/v1/Cluster",
    "postgresql.cnpg.io/v1/Database",
    "postgresql.cnpg.io/v1/DatabaseRole",
    "postgresql.cnpg.io/v1/FailoverQuorum",
    "postgresql.cnpg.io/v1/Pooler",
    "postgresql.cnpg.io/v1/ScheduledBackup",
    "barmancloud.cnpg.io/v1/ObjectStore",
    "keda.sh/v1alpha1/ScaledObject",
    "keda.sh/v1alpha1/TriggerAuthentication",
    "monitoring.coreos.com/v1/ServiceMonitor",
    "monitoring.coreos.com/v1/PodMonitor",
    "monitoring.coreos.com/v1/PrometheusRule",
    "gateway.networking.k8s.io/v1/HTTPRoute",
    "resource.k8s.io/v1/ResourceClaimTemplate",
    "ray.io/v1/RayJob",
    "kueue.x-k8s.io/v1beta2/LocalQueue",
    "cert-manager.io/v1/Certificate",
)


class Refused(Exception):
    """Helm rendered nothing; the message is what it said."""


class _Loader(yaml.CSafeLoader):
    """Refuses a key that stands twice in one mapping, as the API server does."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    if twice := {key for key in keys if keys.count(key) > 1}:
        raise yaml.YAMLError(f"twice in one mapping: {', '.join(map(str, twice))} {node.start_mark}")
    return {
        key: loader.construct_object(value, deep=True)
        for key, (_, value) in zip(keys, node.value, strict=True)
    }


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def objects_in(text: str) -> list[Object]:
    """The objects of a rendering, in its order."""
    return [document for document in yaml.load_all(text, Loader=_Loader) if document]


@functools.cache
def program(name: str) -> str:
    path = ROOT / ".build" / "helm" / name
    if not path.exists():
        pytest.fail(f"{path} is not there. Run `make .build/helm/made`.")
    return str(path)


def run(helm: str, *arguments: str, home: Path | None = None) -> str:
    """What Helm writes; it keeps its cache in `home`. Raises Refused with what it says when it fails."""
    environment = os.environ | ({"HOME": str(home)} if home else {})
    command = [program(helm), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise Refused(done.stderr)
    return done.stdout


@dataclass(frozen=True)
class Install:
    """What an operator types, and what the cluster has."""

    chart: Path = CHARTS / "pilothouse"
    release: str = "pilothouse"
    namespace: str = "ai"
    files: Sequence[str] = ()
    values: Object = field(default_factory=dict)
    apis: Sequence[str] = OPERATORS
    kubernetes: str = "1.32.0"
    upgrade: bool = False

    def values_text(self) -> str:
        """Its own values as a file."""
        return yaml.safe_dump(self.values)

    def render(self, helm: str, kubeconfig: Path | None = None) -> str:
        """All manifests as one text; with a `kubeconfig` that cluster is asked. Raises Refused."""
        arguments = ["template", self.release, str(self.chart), "--namespace", self.namespace]
        arguments += ["--kube-version", self.kubernetes, *(["--is-upgrade"] if self.upgrade else [])]
        arguments += [part for api in self.apis for part in ("--api-versions", api)]
        if kubeconfig:
            arguments += ["--dry-run=server", "--disable-openapi-validation", "--kubeconfig", str(kubeconfig)]
        arguments += [part for file in self.files for part in ("--values", str(self.chart / file))]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as values:
            values.write(self.values_text())
            values.flush()
            home = kubeconfig.parent if kubeconfig else None
            return run(helm, *arguments, "--values", values.name, home=home)
