"""values.schema.json refuses what nobody meant, and takes what the charts themselves say."""

import functools
import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import yaml

from chart_sources import Charts
from chart_values import generated
from support.charts.helm import CHARTS, HELMS, Install, Object, Refused
from support.charts.scenario import Scenario, merged, scenarios

NAMES = sorted(path.parent.name for path in CHARTS.glob("*/values.schema.json"))
# One of each type; something in it fits none of the types of any key.
STRANGE: list[Any] = [{"a": 1}, "text", [1], 1.5, True]


def schema_of(chart: str) -> Object:
    content: Object = json.loads((CHARTS / chart / "values.schema.json").read_text(encoding="utf-8"))
    return content


def misspelt(schema: Object, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each key of a closed object, with a letter too many."""
    for name, child in schema.get("properties", {}).items():
        if schema.get("additionalProperties") is False:
            yield (*at, f"{name}x"), {}
        yield from misspelt(child, (*at, name))


def mistyped(schema: Object, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each key with a type, and a value that is of none of its types."""
    for name, child in schema.get("properties", {}).items():
        types = child.get("type", [])
        types = [types] if isinstance(types, str) else types
        if types:
            yield (*at, name), next(value for value in STRANGE if _of_none(value, types))
        yield from mistyped(child, (*at, name))


def _of_none(value: Any, types: list[str]) -> bool:
    return not jsonschema_rs.is_valid({"type": types}, value)


def changed(chart: str, way: tuple[str, ...], value: Any) -> Any:
    """The chart's own values with one of them set."""
    for name in reversed(way):
        value = {name: value}
    return merged(values_of(chart), value)


@functools.cache
def values_of(chart: str) -> Object:
    values: Object = yaml.safe_load((CHARTS / chart / "values.yaml").read_text(encoding="utf-8"))
    return values


@pytest.mark.parametrize("chart", ["common", *NAMES])
def test_nothing_that_is_made_from_the_source_is_out_of_date(chart: str) -> None:
    made = generated(Charts(CHARTS), chart)
    assert [path.name for path, text in made.items() if path.read_text(encoding="utf-8") != text] == []


@pytest.mark.parametrize("chart", NAMES)
def test_the_defaults_fit(chart: str) -> None:
    jsonschema_rs.validate(schema_of(chart), values_of(chart))


@pytest.mark.parametrize("chart", NAMES)
def test_every_misspelt_key_is_refused(chart: str) -> None:
    validator = jsonschema_rs.Draft7Validator(schema_of(chart))
    cases = list(misspelt(schema_of(chart)))
    assert len(cases) > 3
    assert [".".join(way) for way, value in cases if validator.is_valid(changed(chart, way, value))] == []


@pytest.mark.parametrize("chart", NAMES)
def test_every_value_of_a_wrong_type_is_refused(chart: str) -> None:
    validator = jsonschema_rs.Draft7Validator(schema_of(chart))
    cases = list(mistyped(schema_of(chart)))
    assert len(cases) > 3
    assert [".".join(way) for way, value in cases if validator.is_valid(changed(chart, way, value))] == []


def test_an_open_schema_is_found() -> None:
    open_schema = {"properties": {"a": {"properties": {"b": {}}, "additionalProperties": True}, "c": {}}}
    assert list(misspelt(open_schema)) == []
    closed = open_schema | {"additionalProperties": False}
    assert [way for way, _ in misspelt(closed)] == [("ax",), ("cx",)]


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"qeury": {}}, "qeury"),
        ({"query": {"replcas": 2}}, "replcas"),
        ({"query": {"replicas": "two"}}, "replicas"),
        ({"query": {"autoscaling": {"engine": "magic"}}}, "engine"),
        # A key with everything below it commented out takes the defaults away.
        ({"chat-ui": {"ingress": None}}, "ingress"),
    ],
)
def test_helm_names_the_key_that_it_refuses(helm: str, values: Object, says: str) -> None:
    with pytest.raises(Refused, match=says):
        Install(values=values).render(helm)


def _alone() -> list[Scenario]:
    return [scenario for scenario in scenarios() if scenario.install.chart.name != "pilothouse"]


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize("scenario", _alone(), ids=str)
def test_a_subchart_takes_what_a_parent_hands_it(scenario: Scenario, helm: str) -> None:
    """Helm gives `global` to every subchart, and `enabled` where the parent has a condition."""
    values = scenario.install.values
    handed = {"enabled": True, "global": {**values.get("global", {}), "fromAnotherChart": {"a": 1}}}
    assert scenario.also(values=values | handed).install.render(helm)
