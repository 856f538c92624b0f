"""Uninstalling keeps the database; the same release installed again finds everything."""

import pytest

from cluster.conftest import NewNamespace
from support.cluster.database import Database
from support.cluster.kubectl import Namespace
from support.cluster.release import Release
from support.cluster.traffic.people import COLLECTION
from support.cluster.traffic.traffic import PERSON, prepare
from support.cluster.waiting import until

pytestmark = pytest.mark.timeout(1800)


def documents(release: Release) -> set[str]:
    with release.client("ingest", PERSON) as client:
        found = client.get(f"/v1/collections/{COLLECTION}/documents").raise_for_status().json()["items"]
    return {document["id"] for document in found}


def left_over(namespace: Namespace) -> set[str]:
    """What an uninstall left behind and is not the database's, nor the cluster's own."""
    objects = namespace.list("all,networkpolicy,configmap,role,serviceaccount")
    names = {f"{o['kind']}/{o['metadata']['name']}" for o in objects}
    others = ("-database", "/cnpg-", "/kube-root", "/default")
    return {name for name in names if not any(part in name for part in others)}


@pytest.mark.parametrize("helm", ["helm4", "helm3"])
def test_a_release_installed_again_finds_its_database(new_namespace: NewNamespace, helm: str) -> None:
    namespace = new_namespace(f"again-{helm}")
    release = Release(namespace, helm=helm)
    release.install("--wait-for-jobs")
    prepare(release)
    before, key = documents(release), release.secret("pilothouse-auth", "key")

    release.uninstall()

    assert namespace.list("deployment") == []
    Database(release).wait_until_healthy()
    until(lambda: left_over(namespace), "only the database is left", holds=lambda left: not left)

    release.install("--wait-for-jobs")
    assert documents(release) == before
    assert release.secret("pilothouse-auth", "key") == key
    release.test()
