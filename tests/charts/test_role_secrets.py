"""Of each role's password there is one Secret, whoever names it: nobody makes it a second time."""

import json

import pytest

from support.charts.helm import CHARTS, HELMS, Install, Object, objects_in
from support.charts.pods import kinds

ROLES: dict[str, str] = {"chat": "chat-db", "ingest": "ingest-db", "query": "query-db"}
TEMPLATED: Object = {"database": {"existingSecret": "{{ .Chart.Name }}-db"}}


def made(install: Install) -> set[str]:
    """Names of the Secrets that the Job of the database's credentials makes."""
    maps = kinds(objects_in(install.render(HELMS[0])), "ConfigMap")
    texts = [o["data"]["wanted.json"] for o in maps if "database" in o["metadata"]["name"]]
    return {secret["name"] for text in texts for secret in json.loads(text)["secrets"]}


def test_none_is_made_that_global_names_for_a_database_alone() -> None:
    values = {"global": {"database": {"roleSecrets": {"query": "mine"}}}}
    alone = Install(chart=CHARTS / "database", release="store", values=values)
    assert made(alone) == {"store-database-chat", "store-database-ingest"}


@pytest.mark.parametrize(
    "values",
    [
        {"global": {"database": {"roleSecrets": ROLES}}},
        # Named on both sides, and as templates of the subcharts.
        {
            "database": {"roles": {"existingSecrets": ROLES | {"chat": "chat-ui-db"}}},
            "chat-ui": TEMPLATED,
            "ingest": TEMPLATED,
            "query": TEMPLATED,
        },
    ],
)
@pytest.mark.parametrize("helm", HELMS)
def test_a_password_that_both_sides_know_is_not_refused(helm: str, values: Object) -> None:
    install = Install(values=values)
    assert install.render(helm)
    assert made(install) == set()
