"""Whom query asks, and with which keys."""

from support.charts.pods import one
from support.charts.scenario import rendered


def test_the_reranker_gets_a_key_from_a_secret() -> None:
    rerank = {"url": "https://rerank.example.org", "existingSecret": "{{ .Release.Name }}-keys", "key": "k"}
    deployment = one(rendered("query-alone", {"rerank": rerank}), "Deployment", "search-query")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    reference = {"secretKeyRef": {"name": "search-keys", "key": "k"}}
    assert {"name": "PILOTHOUSE_RERANK_KEY", "valueFrom": reference} in container["env"]
