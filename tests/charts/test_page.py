"""Under which names the page answers."""

import pytest

from support.charts.helm import Object
from support.charts.pods import environment, one
from support.charts.scenario import rendered

ITSELF = [
    *("127.0.0.1", "localhost", "[::1]", "page-chat-ui"),
    *("page-chat-ui.ai", "page-chat-ui.ai.svc", "page-chat-ui.ai.svc.cluster.local"),
]


def hosts(values: Object) -> list[str] | None:
    deployment = one(rendered("chat-ui-alone", values), "Deployment", "page-chat-ui")
    found = environment(deployment["spec"]["template"]["spec"]["containers"][0]).get("PILOTHOUSE_AUTH_HOSTS")
    return None if found is None else found.split(",")


@pytest.mark.parametrize(
    ("values", "public"),
    [
        ({}, []),
        ({"ingress": {"enabled": True, "host": "ask.example.org"}}, ["ask.example.org"]),
        (
            {"route": {"enabled": True, "parentRefs": [{"name": "g"}], "hostnames": ["a.org", "b.org"]}},
            ["a.org", "b.org"],
        ),
    ],
)
def test_where_nobody_signs_in_the_page_answers_to_its_own_names(values: Object, public: list[str]) -> None:
    assert hosts(values) == ITSELF + public


@pytest.mark.parametrize(
    "values",
    [
        {"auth": {"mode": "proxy", "proxy": {"from": [{"podSelector": {}}]}}},
        {"auth": {"mode": "token"}},
        {"service": {"type": "NodePort"}},
        {"ingress": {"enabled": True}},
        {"ingress": {"enabled": True, "host": "*.example.org"}},
        {"route": {"enabled": True, "parentRefs": [{"name": "g"}]}},
    ],
)
def test_no_names_are_listed_where_people_sign_in_or_come_by_others(values: Object) -> None:
    assert hosts(values) is None


def test_the_operators_own_names_take_their_place() -> None:
    assert hosts({"settings": {"AUTH_HOSTS": "ask.example.org"}}) == ["ask.example.org"]
