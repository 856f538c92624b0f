"""Who may reach a page that believes what a proxy says."""

from typing import Any

from support.charts.helm import Object
from support.charts.pods import one
from support.charts.scenario import merged, rendered

PROXY = {"podSelector": {"matchLabels": {"app": "proxy"}}}
SIGN_IN: Object = {"auth": {"mode": "proxy", "proxy": {"from": [PROXY]}}}


def reaching(values: Object) -> list[Any]:
    policy = one(rendered("chat-ui-alone", merged(SIGN_IN, values)), "NetworkPolicy", "page-chat-ui")
    rules = [rule["from"] for rule in policy["spec"]["ingress"]]
    return [peer for rule in rules for peer in rule]


def test_of_those_who_watch_only_prometheus_reaches_a_page_that_believes_a_header() -> None:
    _, *others = reaching({"metrics": {"serviceMonitor": {"enabled": True}}})
    prometheus = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
    }
    assert others == [prometheus, PROXY]


def test_a_mesh_may_do_what_the_network_policy_does() -> None:
    values = {
        "auth": {"mode": "proxy", "proxy": {"fencedElsewhere": True}},
        "networkPolicy": {"enabled": False},
    }
    assert one(rendered("chat-ui-alone", values), "Deployment", "page-chat-ui")
