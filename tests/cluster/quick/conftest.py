"""One release for the whole quick part: a trial as the README of the charts has it."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from cluster.conftest import KEEP, RESTRICTED
from support.cluster.figures import Figures
from support.cluster.kubectl import Object, fresh_namespace
from support.cluster.release import DEPLOYMENTS, Release

# What a careful administrator gives a team for a trial: every pod must say what it needs.
QUOTA: Object = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "team"},
    "spec": {
        "hard": {
            "requests.cpu": "2",
            "requests.memory": "8Gi",
            "limits.memory": "24Gi",
            "pods": "40",
            "persistentvolumeclaims": "4",
        }
    },
}


@dataclass(frozen=True)
class Trial:
    """A release of values-cpu, what Helm said, and how the start went."""

    release: Release
    notes: str
    proof: str
    # Read at once: the tests come in any order, and some of them kill pods and change the release.
    refused: list[str]
    restarts: dict[str, int]


@pytest.fixture(scope="session")
def trial(cluster: None, figures: Figures) -> Iterator[Trial]:
    """Installed in a namespace that enforces `restricted` and has a quota, and proven by `helm test`."""
    with fresh_namespace("ph-quick", labels=RESTRICTED, keep=KEEP in os.environ) as namespace:
        namespace.apply(QUOTA)
        release = Release(namespace)
        started = time.monotonic()
        notes = release.install()
        installed = time.monotonic()
        proof = release.test()
        figures.add(
            "install",
            "values-cpu",
            **{
                "helm install --wait, s": round(installed - started, 1),
                "helm test, s": round(time.monotonic() - installed, 1),
                "together, s": round(time.monotonic() - started, 1),
            },
        )
        refused = [event["message"] for event in namespace.list("event") if event["reason"] == "FailedCreate"]
        yield Trial(release, notes, proof, refused, restarts(release))


def restarts(release: Release) -> dict[str, int]:
    """How often each pod's container was started again."""
    return {
        pod["metadata"]["name"]: status["restartCount"]
        for component in DEPLOYMENTS
        for pod in release.pods(component)
        for status in pod["status"]["containerStatuses"]
    }


@pytest.fixture(scope="session")
def pair(trial: Trial) -> Release:
    """The same release with two replicas of everything that is a Deployment."""
    release = trial.release
    release.values = two_of_each()
    release.upgrade()
    for component in DEPLOYMENTS:
        release.settled(component)
    return release


def two_of_each() -> Object:
    single = ("chat-ui", "query", "inference", "embeddings")
    return {name: {"replicas": 2} for name in single} | {
        "ingest": {"api": {"replicas": 2}, "worker": {"replicas": 2}}
    }
