"""Releases that several scenarios share. Each file also runs alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.conftest import KEEP, RESTRICTED
from support.charts.helm import ROOT
from support.cluster.database import Database
from support.cluster.kubectl import Namespace, Object, fresh_namespace
from support.cluster.release import Release

TOOLS = Path(os.environ.get("PILOTHOUSE_CLUSTER_TOOLS", ROOT.parent / "shared" / "tools")) / "cluster"
S3 = "http://s3.s3.svc:7070"
BARMAN = {"repository": "cloudnative-pg/postgresql", "tag": "18-system-trixie"}


@pytest.fixture(scope="session")
def highly_available(cluster: None) -> Iterator[Release]:
    """`values-ha` over three zones, with nothing changed."""
    zones = zones_of_nodes()
    if len(zones) < 3:
        pytest.skip(f"values-ha needs nodes in three zones, and here are {len(zones)}: up --nodes 3")
    with fresh_namespace("ph-ha", labels=RESTRICTED, keep=KEEP in os.environ) as namespace:
        release = Release(namespace, files=("values-ha.yaml",))
        release.install(seconds=900)
        Database(release).wait_until_healthy()
        release.test()
        yield release


@pytest.fixture
def steady(highly_available: Release) -> Release:
    """The same, with everything that the scenario before has broken grown again."""
    Database(highly_available).wait_until_healthy()
    for deployment in highly_available.namespace.list("deployment", highly_available.selector()):
        name = deployment["metadata"]["name"]
        highly_available.namespace.kubectl(
            "rollout", "status", f"deployment/{name}", "--timeout=600s", seconds=630
        )
    return highly_available


def zones_of_nodes() -> set[str]:
    nodes = Namespace("default").list("node")
    zones = (node["metadata"]["labels"].get("topology.kubernetes.io/zone", "") for node in nodes)
    return {str(zone) for zone in zones if zone}


@pytest.fixture(scope="session")
def object_store(cluster: None) -> str:
    """Address of an S3 store in the cluster; its bucket is `backups`."""
    if Namespace("s3").find("service", "s3") is None:
        pytest.skip("there is no S3 store in this cluster: up --s3")
    return S3


def store_secret(name: str = "backup-store") -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "stringData": {"ACCESS_KEY_ID": "test-access", "SECRET_ACCESS_KEY": "test-secret-key"},
    }


def tool(name: str) -> str:
    """A program of the cluster tools. Skips where they are not."""
    path = TOOLS / name
    if not path.exists():
        pytest.skip(f"the cluster's own tools are not on this machine ({path})")
    return str(path)
