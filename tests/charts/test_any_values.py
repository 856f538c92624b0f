"""Whatever the schema takes is rendered to valid objects, or refused in words: never a fault of a template.

Values are drawn at random, the same in each run. PILOTHOUSE_CHART_DRAWS=500 draws so many for each chart.
"""

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from chart_sources import Charts, Schema
from support.charts import contents, schemas
from support.charts.helm import CHARTS, HELMS, Object, Refused, objects_in
from support.charts.scenario import merged, scenarios

DRAWS = int(os.environ.get("PILOTHOUSE_CHART_DRAWS", "6"))
SOURCES = Charts(CHARTS)
# How Helm begins what a chart itself has refused, and what the schema has.
IN_WORDS = ("execution error at (", "values don't meet the specifications of the schema")
Way = tuple[str, ...]


def leaves(schema: Schema, way: Way = ()) -> Iterator[tuple[Way, Schema]]:
    for name, child in schema["properties"].items():
        if "properties" in child:
            yield from leaves(child, (*way, name))
        elif name not in ("enabled", "global") or "description" in child:
            yield (*way, name), child


def others(leaf: Schema) -> list[Any]:
    """Values that the schema takes besides the default. Helm takes null as: without the default."""
    types = leaf.get("type", [])
    types = [types] if isinstance(types, str) else types
    found: list[Any] = list(leaf.get("enum", []))
    if not found and "pattern" not in leaf:
        found = [value for each in types for value in _of_type(each, leaf)]
    return found + ([None] if {"array", "object", "null"} & {*types} else [])


def _of_type(name: str, leaf: Schema) -> list[Any]:
    least = leaf.get("minimum", 0)
    texts = {"type": "string"}
    template = ["{{ .Release.Name }}-a"] if "emplate" in leaf["description"] else []
    empty = [] if leaf.get("minLength", leaf.get("default")) else [""]
    return {
        "boolean": [True, False],
        "integer": [least, least + 1, least + 7],
        "string": [*empty, "a.example.org", *template],
        "array": [[], ["a"]] if leaf.get("items") == texts else [[]],
        "object": [{}, {"a": "b"}] if leaf.get("additionalProperties") == texts else [{}],
    }.get(name, [])


def draw(chart: str, seed: int) -> tuple[str, Object]:
    """A scenario of the chart, and a few values to lay over it."""
    dice = random.Random(f"{chart} {seed}")
    scenario = dice.choice([s for s in scenarios() if s.install.chart.name == chart])
    values: Object = {}
    for way, leaf in dice.sample(sorted(leaves(SOURCES.values(chart)), key=lambda each: each[0]), k=6):
        value = dice.choice(others(leaf) or [leaf.get("default")])
        for name in reversed(way):
            value = {name: value}
        values = merged(values, value)
    return scenario.name, values


def outcome(chart: str, scenario: str, values: Object, helm: str) -> list[str]:
    """What is wrong with what comes out."""
    begin = next(s for s in scenarios() if s.name == scenario)
    try:
        text = begin.also(values=merged(begin.install.values, values)).install.render(helm)
    except Refused as refused:
        return [] if any(words in str(refused) for words in IN_WORDS) else [str(refused)]
    objects = objects_in(text)
    version = begin.install.kubernetes.removesuffix(".0")
    wrong = [p for o in objects if schemas.is_native(o) for p in schemas.problems(o, version)]
    if schemas.CUSTOM.is_dir():
        wrong += [p for o in objects if not schemas.is_native(o) for p in schemas.problems(o, "any")]
    return wrong + list(contents.unique_in_lists(objects))


@pytest.mark.parametrize("seed", range(DRAWS))
@pytest.mark.parametrize("chart", SOURCES.names())
def test_values_that_the_schema_takes_do_not_break_a_template(chart: str, seed: int) -> None:
    scenario, values = draw(chart, seed)
    assert outcome(chart, scenario, values, HELMS[seed % 2]) == [], (scenario, values)
