"""Installations that cannot work say why, and heal when the right value comes."""

import pytest

from cluster.conftest import NewNamespace
from support.charts.helm import Install, Refused
from support.cluster.diagnosis import waiting_reasons
from support.cluster.kubectl import Object
from support.cluster.release import HelmFailed, Release
from support.cluster.waiting import until

pytestmark = pytest.mark.timeout(1800)


def seen_reasons(release: Release, component: str) -> set[str]:
    return {reason for pod in release.pods(component) for reason in waiting_reasons(pod)}


def warnings(release: Release) -> str:
    return "\n".join(
        event["message"] for event in release.namespace.list("event") if event["type"] != "Normal"
    )


@pytest.mark.parametrize(
    ("name", "values", "reasons", "words"),
    [
        (
            "secret",
            {"global": {"auth": {"existingSecret": "not-there"}}},
            {"CreateContainerConfigError"},
            'secret "not-there" not found',
        ),
        (
            "image",
            {"query": {"image": {"tag": "not-there"}}},
            {"ErrImagePull", "ImagePullBackOff"},
            "pilothouse/query:not-there",
        ),
        ("tag", {"query": {"image": {"tag": "not a tag"}}}, {"InvalidImageName"}, "not a tag"),
    ],
)
def test_a_wrong_name_is_said_and_the_right_one_heals(
    new_namespace: NewNamespace, name: str, values: Object, reasons: set[str], words: str
) -> None:
    release = Release(new_namespace(f"wrong-{name}"), values=values)
    with pytest.raises(HelmFailed) as failed:
        release.install(seconds=60)
    assert "Deployment/ph-wrong-" in str(failed.value)
    until(
        lambda: seen_reasons(release, "query"),
        f"one of {reasons} at query",
        holds=lambda seen: bool(seen & reasons),
        explain=release.explain,
    )
    assert words in warnings(release)

    release.values = {}
    release.upgrade()
    release.test()


def test_a_failed_installation_that_is_rolled_back_leaves_nothing_but_the_database(
    new_namespace: NewNamespace,
) -> None:
    release = Release(new_namespace("rolled-back"), values={"query": {"image": {"tag": "not-there"}}})
    with pytest.raises(HelmFailed):
        release.install("--rollback-on-failure", seconds=60)
    assert release.namespace.list("deployment") == []
    release.values = {}
    release.install()
    release.test()


def test_without_the_operator_nothing_is_installed_and_the_command_is_named() -> None:
    with pytest.raises(Refused) as refused:
        Install(files=("values-cpu.yaml",), apis=()).render("helm4")
    assert "The CloudNativePG operator is not installed in this cluster" in str(refused.value)
    assert "helm install cnpg cloudnative-pg" in str(refused.value)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"qery": {}}, "additional properties 'qery' not allowed"),
        ({"query": {"replicas": "two"}}, "got string, want integer"),
    ],
)
def test_values_that_are_none_are_refused_before_anything_is_made(
    new_namespace: NewNamespace, values: Object, words: str
) -> None:
    release = Release(new_namespace("refused"), values=values)
    with pytest.raises(HelmFailed) as failed:
        release.install()
    assert words in str(failed.value)
    assert release.namespace.list("deployment,job,secret") == []
