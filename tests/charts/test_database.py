"""What the database chart hands on to CloudNativePG and its plugin."""

from typing import Any

import pytest

from support.charts import schemas
from support.charts.helm import CHARTS, HELMS, Object, objects_in
from support.charts.pods import kinds
from support.charts.scenario import merged, scenarios


def rendered(name: str, values: Object) -> list[Object]:
    scenario = next(s for s in scenarios() if s.name == name)
    values = merged(scenario.install.values, values)
    return objects_in(scenario.also(values=values).install.render(HELMS[0]))


def test_poolers_run_where_global_says() -> None:
    wanted: Object = {
        "nodeSelector": {"pool": "general"},
        "tolerations": [{"key": "pool", "operator": "Exists"}],
        "priorityClassName": "ordinary",
    }
    poolers = list(
        kinds(rendered("database-backups", {"global": {**wanted, "labels": {"cost": "42"}}}), "Pooler")
    )
    assert len(poolers) == 2
    for pooler in poolers:
        template = pooler["spec"]["template"]
        assert {key: template["spec"][key] for key in wanted} == wanted
        labels = template["metadata"]["labels"]
        assert labels == {"app.kubernetes.io/part-of": "pilothouse", "team": "search", "cost": "42"}


@pytest.mark.parametrize(
    ("scenario", "kind", "place"),
    [("database-backups", "ObjectStore", []), ("database-in-tree-backups", "Cluster", ["backup"])],
)
@pytest.mark.parametrize(("asked", "given"), [("", None), ("6w", "6w")])
def test_backups_are_deleted_only_when_a_time_is_named(
    scenario: str, kind: str, place: list[str], asked: str, given: str | None
) -> None:
    found = next(kinds(rendered(scenario, {"backup": {"retentionPolicy": asked}}), kind))
    at: Any = found["spec"]
    for step in place:
        at = at[step]
    assert at.get("retentionPolicy") == given
    if schemas.CUSTOM.is_dir():
        assert list(schemas.problems(found, "any")) == []


@pytest.mark.parametrize("name", ["database-backups", "database-recovery", "database-alone"])
def test_the_readme_deletes_all_that_an_uninstall_leaves(name: str) -> None:
    scenario = next(s for s in scenarios() if s.name == name)
    objects = objects_in(scenario.also(release="database").install.render(HELMS[0]))
    kept = [o for o in objects if "helm.sh/resource-policy" in o["metadata"].get("annotations", {})]
    readme = (CHARTS / "database" / "README.md").read_text(encoding="utf-8")
    commands = [line.split() for line in readme.splitlines() if line.startswith("kubectl delete ")]
    assert kept
    for o in kept:
        named = [
            c for c in commands if o["kind"].lower() in c[2].split(",") and o["metadata"]["name"] in c[3:]
        ]
        assert named, o["metadata"]
