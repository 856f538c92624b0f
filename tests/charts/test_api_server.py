"""Everything that talks to the API server may reach it on the ports that this cluster's has."""

from typing import Any

import pytest

from support.charts.helm import HELMS, Object, objects_in
from support.charts.pods import kinds
from support.charts.scenario import Scenario, merged, scenarios

# What talks to it, by the name of its policy and the scenario that has it.
CLIENTS = [
    ("defaults", "search-auth-credentials"),
    ("defaults", "search-database-credentials"),
    ("defaults", "search-database"),
    ("database-backups", "store-database-credentials"),
    ("database-backups", "store-database"),
    ("database-backups", "store-database-pooler"),
    ("ingest-bulk-ray", "pilothouse-ingest-bulk"),
]


def ports(scenario: Scenario, policy: str, values: Object) -> set[Any]:
    """Those that are let through to any address."""
    install = scenario.also(values=merged(scenario.install.values, values)).install
    policies = kinds(objects_in(install.render(HELMS[0])), "NetworkPolicy")
    rules = next(o["spec"]["egress"] for o in policies if o["metadata"]["name"] == policy)
    outside = [rule for rule in rules if {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]} in _blocks(rule)]
    return {port["port"] for rule in outside for port in rule["ports"]}


def _blocks(rule: Object) -> list[Any]:
    return [peer.get("ipBlock") for peer in rule["to"]]


@pytest.mark.parametrize(("name", "policy"), CLIENTS)
def test_the_ports_of_the_api_server_are_those_of_the_values(name: str, policy: str) -> None:
    scenario = next(s for s in scenarios() if s.name == name)
    assert {443, 6443} <= ports(scenario, policy, {})
    changed = ports(scenario, policy, {"global": {"apiServer": {"ports": [443, 16443]}}})
    assert 16443 in changed
    assert 6443 not in changed


def test_a_store_on_the_usual_port_is_reached_whatever_port_the_api_server_has() -> None:
    scenario = next(s for s in scenarios() if s.name == "database-backups")
    assert 443 in ports(scenario, "store-database", {"global": {"apiServer": {"ports": [16443]}}})
