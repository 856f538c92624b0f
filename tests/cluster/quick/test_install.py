"""What an operator sees in the first minutes."""

import httpx2
import pytest

from cluster.quick.conftest import Trial

# The first test installs the release, and the last one removes every namespace of the session.
pytestmark = pytest.mark.timeout(1500)


def test_helm_test_proves_an_answer_with_its_citation(trial: Trial) -> None:
    assert "Phase:          Succeeded" in trial.proof
    assert "citation" in trial.proof.lower()


def test_the_notes_say_how_to_open_the_page_and_how_to_test(trial: Trial) -> None:
    assert "port-forward svc/pilothouse-chat-ui 8080" in trial.notes
    assert "helm test pilothouse" in trial.notes


def test_no_pod_was_refused_and_no_container_started_twice(trial: Trial) -> None:
    assert trial.refused == []
    assert trial.restarts
    assert {name: count for name, count in trial.restarts.items() if count} == {}


@pytest.mark.parametrize(
    ("component", "method", "path"),
    [
        ("ingest", "GET", "/v1/collections"),
        ("ingest", "POST", "/v1/collections/x/documents"),
        ("query", "POST", "/v1/search"),
        ("query", "POST", "/v1/chat/completions"),
        ("inference", "POST", "/v1/chat/completions"),
        ("embeddings", "POST", "/embed"),
    ],
)
def test_a_service_answers_nobody_without_a_token(
    trial: Trial, component: str, method: str, path: str
) -> None:
    url = trial.release.address(component) + path
    for headers in ({}, {"authorization": "Bearer wrong"}):
        answer = httpx2.request(method, url, headers=headers, json={}, timeout=30, trust_env=False)
        assert answer.status_code == 401, answer.text
