"""Two releases in one namespace and a third in another: each answers, and none sees or reaches the others."""

import pytest

from cluster.conftest import NewNamespace
from cluster.quick.test_policies import fenced, inside_of
from support.cluster.release import Release

pytestmark = pytest.mark.timeout(2400)


@pytest.fixture(scope="module")
def releases(new_namespace: NewNamespace) -> list[Release]:
    together, apart = new_namespace("together"), new_namespace("apart")
    releases = [Release(together, "first"), Release(together, "second"), Release(apart, "first")]
    for release in releases:
        release.install()
    return releases


def test_each_passes_helm_test(releases: list[Release]) -> None:
    for release in releases:
        release.test()


def test_a_document_of_one_is_not_in_the_others(releases: list[Release]) -> None:
    for release in releases:
        with release.client("ingest") as client:
            client.put(f"/v1/collections/of-{release.name}", json={}).raise_for_status()
    names = []
    for release in releases:
        with release.client("ingest") as client:
            found = client.get("/v1/collections").raise_for_status().json()["items"]
            names.append({item["name"] for item in found if item["name"].startswith("of-")})
    assert names == [{"of-first"}, {"of-second"}, {"of-first"}]


def test_the_token_of_one_is_worth_nothing_to_the_others(releases: list[Release]) -> None:
    first, second, _ = releases
    with first.client("ingest") as client:
        client.base_url = second.address("ingest")
        assert client.get("/v1/collections").status_code == 401


def test_no_pod_of_one_reaches_the_database_or_the_services_of_another(releases: list[Release]) -> None:
    for release in releases:
        for other in releases:
            if other is not release:
                answers = inside_of(release, "query").knock(fenced(other))
                assert "open" not in answers.values(), f"{release} reaches {other}: {answers}"
