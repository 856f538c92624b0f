"""What cannot work says so at render or start, in words, and damages nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cluster.conftest import NewNamespace
from support.cluster.database import Database
from support.cluster.diagnosis import waiting_reasons
from support.cluster.kubectl import KubectlFailed, Namespace, Object
from support.cluster.release import HelmFailed, Release
from support.cluster.servers import SMALL_VECTORS, WEB_PAGE, start_server
from support.cluster.traffic.people import COLLECTION, QUESTIONS
from support.cluster.traffic.traffic import PERSON, prepare
from support.cluster.waiting import until

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def fakes(new_namespace: NewNamespace) -> Namespace:
    return new_namespace("fakes")


@pytest.fixture(scope="module")
def release(new_namespace: NewNamespace) -> Release:
    release = Release(new_namespace("bad-input"))
    release.install()
    prepare(release)
    return release


@contextmanager
def upgraded(release: Release, values: Object, *, wait: bool = True) -> Iterator[None]:
    """The release with other values for a while. In the end it answers as before, with everything there."""
    release.values = values
    release.upgrade(wait=wait)
    try:
        yield
    finally:
        release.values = {}
        release.upgrade()
    assert answer(release)["citations"]


def answer(release: Release) -> Object:
    with release.client("chat-ui", PERSON) as page:
        made = page.post("/api/sessions", json={"collection": COLLECTION}).raise_for_status().json()
        path = f"/api/sessions/{made['id']}/messages"
        page.post(path, json={"content": QUESTIONS[0]}, timeout=300).raise_for_status()
        message: Object = page.get(path).raise_for_status().json()["items"][-1]
        return message


def restarts(release: Release, component: str) -> int:
    return sum(
        s["restartCount"] for pod in release.pods(component) for s in pod["status"]["containerStatuses"]
    )


def says(release: Release, component: str, words: str, *, container: str = "") -> None:
    """Waits until one of its pods has it in its log."""

    def logs() -> str:
        texts = []
        for pod in release.pods(component):
            for previous in (False, True):
                try:
                    name = pod["metadata"]["name"]
                    texts.append(
                        release.namespace.logs(name, container=container, lines=200, previous=previous)
                    )
                except KubectlFailed:
                    continue
        return "\n".join(texts)

    until(
        logs, f"“{words}” in a log of {component}", holds=lambda text: words in text, explain=release.explain
    )


def test_a_model_url_that_answers_with_a_web_page(release: Release, fakes: Namespace) -> None:
    page = start_server(fakes, "web-page", WEB_PAGE)
    model = {"url": page.url, "existingSecret": ""}
    with upgraded(release, {"inference": {"engine": "external"}, "query": {"model": model}}):
        message = answer(release)
        assert message["grounding"]["status"] == "model_unavailable"
        with release.client("query", PERSON) as client:
            assert client.get("/v1/status").json()["model"]["available"] is False
        says(release, "query", "is a web page")
        assert restarts(release, "query") == 0


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("all-MiniLM-L6-v2", "name now makes vectors of 8"),
        ("another-model", "this service makes vectors of 'another-model'"),
    ],
)
def test_vectors_of_another_dimension(release: Release, fakes: Namespace, model: str, words: str) -> None:
    server = start_server(fakes, f"vectors-{model.lower()}", SMALL_VECTORS % model)
    values = {"embeddings": {"engine": "external"}, "global": {"embedding": {"url": server.url}}}
    before = {component: release.ready_pods(component) for component in ("query", "ingest-worker")}
    with upgraded(release, values, wait=False):
        for component, ready in before.items():
            says(release, component, words)
            # The upgrade stops there: what served before goes on.
            assert release.ready_pods(component) == ready
            assert restarts(release, component) == 0


def test_a_database_of_a_newer_release(release: Release) -> None:
    database = Database(release)
    name = "9999_of_a_newer_release"
    database.sql(f"INSERT INTO public.pilothouse_migrations (name, kind) VALUES ('{name}', 'contract')")
    try:
        release.namespace.delete("pod", release.ready_pods("query")[0])
        says(release, "query", "has been migrated by a newer Pilothouse", container="wait-for-schema")
        says(release, "query", name, container="wait-for-schema")
    finally:
        database.sql(f"DELETE FROM public.pilothouse_migrations WHERE name = '{name}'")
    release.settled("query", seconds=600)
    assert answer(release)["citations"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("no-password", {"username": "pilothouse_query"}, "couldn't find key password"),
        (
            "wrong-password",
            {"username": "pilothouse_query", "password": "wrong"},
            "password authentication failed",
        ),
    ],
)
def test_a_password_that_is_missing_or_wrong(
    new_namespace: NewNamespace, name: str, content: dict[str, str], words: str
) -> None:
    namespace = new_namespace(name)
    secret: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "mine"},
        "stringData": content,
    }
    namespace.apply(secret)
    release = Release(namespace, values={"query": {"database": {"existingSecret": "mine"}}})
    with pytest.raises(HelmFailed):
        release.install(seconds=90)
    if name == "no-password":
        pod = release.pods("query")[0]
        assert "CreateContainerConfigError" in waiting_reasons(pod)
        assert any(words in event["message"] for event in namespace.list("event"))
    else:
        says(release, "query", words, container="wait-for-schema")

    right = release.secret("pilothouse-database-query", "password")
    namespace.apply(secret | {"stringData": content | {"password": right}})
    release.namespace.kubectl("delete", "pod", "--selector", release.selector("query"))
    release.settled("query", seconds=600)
    release.test()


def test_a_card_that_no_node_has(new_namespace: NewNamespace) -> None:
    storage = {"inference": {"cache": {"storageClass": "standard"}}}
    release = Release(new_namespace("no-card"), files=("values-gpu.yaml",), values=storage)
    with pytest.raises(HelmFailed) as failed:
        release.install()
    assert "nvidia.com/gpu" in str(failed.value)
    assert release.namespace.list("deployment,job") == []
