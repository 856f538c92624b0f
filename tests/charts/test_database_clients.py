"""How the services find the database, know that it is the right one, and may reach it."""

from typing import Any

import pytest

from support.charts.pods import environment, one
from support.charts.scenario import rendered


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_a_public_certificate_is_checked_by_what_the_image_trusts(mode: str) -> None:
    objects = rendered("query-alone", {"database": {"sslMode": mode}})
    (query,) = one(objects, "Deployment", "search-query")["spec"]["template"]["spec"]["containers"]
    url = environment(query)["PILOTHOUSE_DATABASE_URL"]
    assert url.endswith(f"?sslmode={mode}&sslrootcert=/etc/ssl/certs/ca-certificates.crt")


def peers(host: str) -> list[Any]:
    """Whom query may reach on the database's port."""
    policy = one(rendered("query-alone", {"database": {"host": host}}), "NetworkPolicy", "search-query")
    rules = [rule for rule in policy["spec"]["egress"] if {"port": 5432} in rule["ports"]]
    return [peer for rule in rules for peer in rule["to"]]


@pytest.mark.parametrize(
    "host",
    [
        "search-database-rw",
        "search-database-ro.ai",
        "search-database-r.ai.svc",
        "search-database-rw.ai.svc.cluster.local",
        "search-database-pooler-read-only",
    ],
)
def test_the_cluster_of_the_release_is_reached_by_its_pods(host: str) -> None:
    assert peers(host) == [{"podSelector": {"matchLabels": {"cnpg.io/cluster": "search-database"}}}]


@pytest.mark.parametrize(
    "host",
    [
        "search-database.abc.eu-west-1.rds.amazonaws.com",
        "search-database-rw.example.org",
        "search-database-rw.elsewhere.svc",
        "search-database-2",
        "db.example.org",
    ],
)
def test_a_server_elsewhere_is_reached_by_its_address_whatever_its_name(host: str) -> None:
    assert peers(host) == [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}]
