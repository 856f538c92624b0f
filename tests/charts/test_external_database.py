"""Which server the migration goes to, where services use a pooler and where they do not."""

from typing import Any

import pytest

from support.charts.helm import HELMS, Object, objects_in
from support.charts.pods import kinds
from support.charts.scenario import merged, scenarios

EXTERNAL = next(s for s in scenarios() if s.name == "external")
POOLER: Object = {
    "global": {
        "database": {"host": "pooler.example.org", "port": 6432, "name": "answers", "sslMode": "verify-ca"}
    }
}
QUERY = "postgresql://pilothouse_query@pooler.example.org:6432/answers?"
# What the last part of an address says of the certificate, where one is named.
CA = "sslmode=verify-ca&sslrootcert=/etc/pilothouse/database/ca.crt"


def rendered(values: Object) -> list[Object]:
    values = merged(EXTERNAL.install.values, merged(POOLER, values))
    return objects_in(EXTERNAL.also(values=values).install.render(HELMS[0]))


def pod(objects: list[Object], component: str) -> Any:
    for o in kinds(objects, "Deployment", "Job"):
        if o["metadata"]["labels"]["app.kubernetes.io/component"] == component:
            return o["spec"]["template"]["spec"]
    raise LookupError(component)


def address(objects: list[Object], component: str) -> str:
    env = pod(objects, component)["containers"][0]["env"]
    return next(str(v["value"]) for v in env if v["name"] == "PILOTHOUSE_DATABASE_URL")


def authority(objects: list[Object], component: str) -> str:
    volumes = pod(objects, component)["volumes"]
    return next(str(v["secret"]["secretName"]) for v in volumes if v["name"] == "database-ca")


@pytest.mark.parametrize(
    ("owner", "server"),
    [
        ({}, "pooler.example.org:6432"),
        # A port alone is the default of the chart, and names no server.
        ({"port": 5433}, "pooler.example.org:6432"),
        ({"host": "direct.example.org"}, "direct.example.org:5432"),
        ({"host": "direct.example.org", "port": 5433}, "direct.example.org:5433"),
    ],
)
def test_the_migration_goes_past_the_pooler_where_the_owner_has_a_host(owner: Object, server: str) -> None:
    objects = rendered({"database": {"external": owner}})
    assert address(objects, "database-migrate") == f"postgresql://pilothouse@{server}/answers?{CA}"
    assert address(objects, "query") == QUERY + CA


@pytest.mark.parametrize(("own", "used"), [("", "example-org-ca"), ("direct-ca", "direct-ca")])
def test_the_way_past_the_pooler_has_its_own_authority_or_the_shared_one(own: str, used: str) -> None:
    objects = rendered({"database": {"external": {"host": "direct.example.org", "caSecret": own}}})
    assert authority(objects, "database-migrate") == used
    assert authority(objects, "query") == "example-org-ca"


def test_the_migration_may_reach_the_port_that_it_connects_to() -> None:
    objects = rendered({"database": {"external": {"host": "direct.example.org", "port": 5433}}})
    policy = next(
        o for o in kinds(objects, "NetworkPolicy") if o["metadata"]["name"] == "pilothouse-database-migrate"
    )
    assert 5433 in [p["port"] for rule in policy["spec"]["egress"] for p in rule["ports"]]
