"""What pages name is there: other pages, their headings, files of this repository, values of the charts."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from support.charts.scenario import merged

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("charts/*/README.md")])
HOW_TOS = sorted(ROOT.glob("docs/how-to/*.md"))
CHARTS = ROOT / "charts"
PARTS = {path.parent.name for path in CHARTS.glob("*/values.schema.json")} - {"pilothouse"}
OURS = PARTS | {"global", "extraObjects"}

LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Only below these folders is a path with a slash one of ours.
FILE = re.compile(
    r"(?<![\w./:@-])((?:charts|docs|libs|samples|services|tests|tools)/[\w./*-]*[\w*])(?![\w/:…])"
)
VALUE = re.compile(r"`([a-z][\w-]*(?:\.[a-zA-Z][\w-]*)+)(?::[^`]*)?`")


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    headings = HEADING.findall(FENCE.sub("", read(page)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def snippets(page: Path) -> Iterator[object]:
    """The YAML of a page, each block by itself."""
    for language, text in FENCE.findall(read(page)):
        if language == "yaml":
            yield from yaml.safe_load_all(text)


def schema_of(chart: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(read(CHARTS / chart / "values.schema.json"))
    return schema


def faults(values: dict[str, Any]) -> Iterator[str]:
    """What the umbrella chart, or the part that a value is of, would refuse."""
    yield from _faults("pilothouse", values)
    for part, own in values.items():
        if part in PARTS:
            yield from _faults(part, own)


def _faults(chart: str, values: dict[str, Any]) -> Iterator[str]:
    defaults = yaml.safe_load(read(CHARTS / chart / "values.yaml"))
    for error in jsonschema_rs.Draft7Validator(schema_of(chart)).iter_errors(merged(defaults, values)):
        yield f"{chart}: {error.message}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_pages_and_headings(page: Path) -> None:
    broken = []
    for target, anchor in LINK.findall(read(page)):
        found = (page.parent / target).resolve() if target else page
        if not found.exists() or (anchor and found.suffix == ".md" and anchor not in anchors(found)):
            broken.append(f"{target}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_of_this_repository_are_there(page: Path) -> None:
    named = set(FILE.findall(read(page)))
    assert [path for path in sorted(named) if not any(ROOT.glob(path))] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_named_values_files_are_there(page: Path) -> None:
    named = set(re.findall(r"\bvalues-[a-z]+\.yaml", read(page)))
    assert [file for file in sorted(named) if not (CHARTS / "pilothouse" / file).exists()] == []


@pytest.mark.parametrize("page", HOW_TOS, ids=name)
def test_the_chart_takes_the_values_that_are_shown(page: Path) -> None:
    shown = [values for values in snippets(page) if isinstance(values, dict) and values.keys() <= OURS]
    assert [fault for values in shown for fault in faults(values)] == []


@pytest.mark.parametrize("page", HOW_TOS, ids=name)
def test_the_chart_takes_the_values_that_commands_set(page: Path) -> None:
    for way, value in re.findall(r"--set[ =]([a-z][\w-]*(?:\.[\w-]+)+)=([^\s`]+)", read(page)):
        values: Any = yaml.safe_load(value)
        for key in reversed(way.split(".")):
            values = {key: values}
        assert not values.keys() <= OURS or [*faults(values)] == []


@pytest.mark.parametrize("page", HOW_TOS, ids=name)
def test_values_named_in_the_text_are_known(page: Path) -> None:
    named = {way for way in VALUE.findall(FENCE.sub("", read(page))) if way.split(".")[0] in OURS}
    assert [way for way in sorted(named) if not known(way.split("."))] == []


def known(way: list[str]) -> bool:
    """Whether a value is one of the umbrella's own or of a part; what is below a free map is."""
    chart, keys = (way[0], way[1:]) if way[0] in PARTS else ("pilothouse", way)
    node = schema_of(chart)
    for key in keys:
        if "properties" not in node:
            return True
        if key not in node["properties"]:
            return False
        node = node["properties"][key]
    return True
