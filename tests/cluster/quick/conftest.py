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
    """A release of values-cpu, and what Helm said."""

    release: Release
    notes: str
    proof: str


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
        yield Trial(release, notes, proof)


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
