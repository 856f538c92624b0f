"""What the database chart hands on to CloudNativePG and its plugin."""

from support.charts.helm import HELMS, Object, objects_in
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
