"""The primary is deleted, killed and switched over, with CloudNativePG alone measured beside the product."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from support.cluster.database import Database, write_probe
from support.cluster.figures import Figures
from support.cluster.release import Release
from support.cluster.traffic.promises import check
from support.cluster.traffic.traffic import traffic
from support.cluster.waiting import until

pytestmark = pytest.mark.timeout(1800)

POSTMASTER = "kill -9 $(head -n 1 /var/lib/postgresql/data/pgdata/postmaster.pid)"


def delete(database: Database) -> None:
    database.release.namespace.delete("pod", database.primary, "--wait=false", "--grace-period=0", "--force")


def kill(database: Database) -> None:
    database.release.namespace.execute(database.primary, ["sh", "-c", POSTMASTER], container="postgres")


def switch_over(database: Database, to: str = "") -> None:
    """What `kubectl cnpg promote` does."""
    chosen = to or next(name for name in database.instances if name != database.primary)
    status = {
        "targetPrimary": chosen,
        "targetPrimaryTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "phase": "Switchover in progress",
        "phaseReason": f"Switching over to {chosen}",
    }
    namespace = database.release.namespace
    namespace.patch("clusters.postgresql.cnpg.io", database.name, {"status": status}, subresource="status")
    until(
        lambda: database.primary,
        f"{chosen} is primary",
        holds=lambda name: name == chosen,
        explain=database.release.explain,
    )


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("primary deleted", delete),
        ("primary's PostgreSQL killed", kill),
        ("switchover", switch_over),
    ],
)
def test_the_primary_goes_and_nothing_is_lost(
    steady: Release, figures: Figures, name: str, harm: Callable[[Database], None]
) -> None:
    database = Database(steady)
    with traffic(steady, name.replace(" ", "-").replace("'", "")) as people, write_probe(database) as probe:
        people.flows()
        harm(database)
        # The state of a cluster that has not noticed yet is as good as before.
        until(lambda: probe.failures, "nobody can write", explain=steady.explain)
        database.wait_until_healthy()
        people.flows()
    promises = check(people)
    figures.fault(
        f"values-ha: {name}",
        people.ledger,
        promises,
        **{"CloudNativePG's own gap s": probe.longest_gap, "CloudNativePG lost": len(probe.missing)},
    )
    assert promises.broken == []
    assert probe.missing == []
