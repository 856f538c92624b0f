"""Each subchart as a release of its own, wired by hand to one another through their values."""

import httpx2
import pytest

from cluster.conftest import NewNamespace
from support.charts.helm import CHARTS
from support.cluster.database import Database
from support.cluster.kubectl import Namespace, Object
from support.cluster.release import Release
from support.cluster.waiting import until

pytestmark = pytest.mark.timeout(2400)

KEYS: Object = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "keys"},
    "stringData": {
        "key": "a-key-of-the-test-" * 3,
        "model-key": "another-key-of-the-test",
        "api-keys": "team:a-program-of-ours",
    },
}


def alone(namespace: Namespace, chart: str, values: Object) -> Release:
    release = Release(namespace, chart, str(CHARTS / chart), files=(), values=values)
    release.install()
    return release


@pytest.fixture(scope="module")
def parts(new_namespace: NewNamespace) -> dict[str, Release]:
    """Every subchart under the name that it has as a chart; who may talk to whom is said by label."""
    namespace = new_namespace("alone")
    namespace.apply(KEYS)
    auth = {"existingSecret": "keys"}

    def let_in(*releases: str) -> Object:
        peers = [{"podSelector": {"matchLabels": {"app.kubernetes.io/instance": name}}} for name in releases]
        return {"extraIngress": [{"from": peers}]}

    def database(role: str) -> Object:
        secret = f"database-{role}"
        return {"host": "database-rw", "caSecret": "database-ca", "existingSecret": secret}

    clients = ("ingest", "query", "chat-ui")
    model = {"url": "http://inference:8083", "existingSecret": "keys", "style": "quote"}
    embedding = {"url": "http://embeddings:8085", "existingSecret": "keys"}
    upstream = {"query": "http://query:8082", "ingest": "http://ingest:8081"}
    wanted = {
        "database": {"storage": {"size": "1Gi"}, "networkPolicy": let_in(*clients)},
        "inference": {"apiKey": {"existingSecret": "keys"}, "networkPolicy": let_in("query")},
        "embeddings": {"apiKey": {"existingSecret": "keys"}, "networkPolicy": let_in("query", "ingest")},
        "ingest": {
            "database": database("ingest"),
            "auth": auth,
            "embedding": embedding,
            "api": {"networkPolicy": let_in("chat-ui")},
        },
        "query": {
            "database": database("query"),
            "auth": auth | {"apiKeysSecret": "keys"},
            "model": model,
            "embedding": embedding,
            "networkPolicy": let_in("chat-ui"),
        },
        # It is opened by its address, which the chart does not know.
        "chat-ui": {
            "database": database("chat"),
            "auth": auth,
            "upstream": upstream,
            "settings": {"AUTH_HOSTS": ""},
        },
    }
    return {chart: alone(namespace, chart, values) for chart, values in wanted.items()}


def test_together_they_answer_with_a_citation(parts: dict[str, Release]) -> None:
    page = parts["chat-ui"]
    page.serves("chat-ui")
    with httpx2.Client(base_url=page.address("chat-ui"), timeout=120, trust_env=False) as client:
        until(lambda: page.answers("chat-ui"), "the page", explain=page.explain)
        client.put("/api/collections/alone", json={}).raise_for_status()
        files = {"file": ("tower.md", b"The tower of Alone is 12 metres high.")}
        accepted = client.post("/api/collections/alone/documents", files=files).raise_for_status().json()
        until(
            lambda: client.get(f"/api/documents/{accepted['id']}").json()["status"],
            "the document indexed",
            holds=lambda status: status == "indexed",
            explain=page.explain,
        )
        session = client.post("/api/sessions", json={"collection": "alone"}).raise_for_status().json()["id"]
        question = {"content": "How high is the tower of Alone?"}
        client.post(f"/api/sessions/{session}/messages", json=question).raise_for_status()
        answer = client.get(f"/api/sessions/{session}/messages").raise_for_status().json()["items"][-1]
    assert answer["status"] == "done", answer
    assert [citation["document_id"] for citation in answer["citations"]] == [accepted["id"]]


def test_a_program_with_an_api_key_may_call_query(parts: dict[str, Release]) -> None:
    headers = {"authorization": "Bearer a-program-of-ours"}
    answer = httpx2.get(
        f"{parts['query'].address('query')}/v1/models", headers=headers, timeout=30, trust_env=False
    )
    assert answer.status_code == 200


def test_the_database_alone_is_migrated(parts: dict[str, Release]) -> None:
    assert int(Database(parts["database"]).sql("SELECT count(*) FROM public.pilothouse_migrations")) > 0
