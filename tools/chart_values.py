"""Makes values.yaml, values.schema.json and the README's table of each chart from its values.schema.yaml.

The source is JSON Schema (draft 7) in YAML. Every property has a `description`, every leaf a `default`.
`$ref: "common#/definitions/NAME"` takes a definition of charts/common/definitions.yaml, and `"chart#/NAME"`
the values of a subchart. What stands beside a reference wins over it: `properties` are added, and `default`
is laid over the defaults of what is referred to, however deep. `--check` only says what is out of date.
"""

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from chart_sources import FROM_THE_PARENT, Charts, Schema, SourceError, defaults
from chart_tables import definitions_page, table

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- values:begin -->", "<!-- values:end -->"
HEADER = "# Made from values.schema.yaml by `make charts`. Change that file, not this one."
WIDTH = 100


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _dump(value: Any) -> list[str]:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000).splitlines()


def _entries(node: Schema, indent: str) -> Iterator[str]:
    for name, child in node["properties"].items():
        comment = " ".join(child["description"].split())
        if "x-subchart" in child:
            comment += f" Every key: charts/{child['x-subchart']}/README.md."
        yield from textwrap.wrap(
            comment,
            WIDTH,
            initial_indent=f"{indent}# ",
            subsequent_indent=f"{indent}# ",
            break_on_hyphens=False,
        )
        if "properties" in child and "x-subchart" not in child:
            yield f"{indent}{name}:"
            yield from _entries(child, indent + "  ")
            extra = child.get("default")
            yield from (f"{indent}  {line}" for line in (_dump(extra) if extra else []))
        else:
            yield from (f"{indent}{line}".rstrip() for line in _dump({name: defaults(child)}))
        if not indent:
            yield ""


def values_yaml(schema: Schema) -> str:
    """The defaults, each below its description."""
    return "\n".join([HEADER, "", *_entries(schema, "")]).rstrip("\n") + "\n"


def _published(node: Any, *, close: bool = True) -> Any:
    if not isinstance(node, dict):
        return node
    result: Schema = {}
    for keyword, child in node.items():
        if keyword in ("description", "default", "definitions") or keyword.startswith("x-"):
            continue
        if keyword in ("properties", "patternProperties"):
            result[keyword] = {name: _published(c, close=close) for name, c in child.items()}
        elif keyword in ("anyOf", "oneOf", "allOf"):
            result[keyword] = [_published(c, close=close and keyword != "allOf") for c in child]
        elif keyword in ("items", "additionalProperties"):
            result[keyword] = _published(child, close=close)
        else:
            # A condition looks at a part of an object, so it must not refuse the rest.
            result[keyword] = (
                _published(child, close=False) if keyword in ("if", "then", "else", "not") else child
            )
    if "x-subchart" in node:
        return {"type": "object"}
    if node.get("type") == "string" and node.get("default"):
        # What has a default is wanted; `minLength: 0` in the source says otherwise.
        result.setdefault("minLength", 1)
    if close and "properties" in result:
        result.setdefault("additionalProperties", False)
    return result


def _require(node: Schema, published: Schema) -> None:
    """Keys that values.yaml always gives. An empty key in a file takes one away, and templates rely on it."""
    names = [name for name, child in node["properties"].items() if _always_given(child)]
    if names:
        published["required"] = sorted({*published.get("required", []), *names})
    for name, child in node["properties"].items():
        if "properties" in child and "x-subchart" not in child:
            _require(child, published["properties"][name])


def _always_given(node: Schema) -> bool:
    """Lists and free maps may be taken away: they are then empty."""
    types = node.get("type")
    nullable = isinstance(types, list) and "null" in types
    return (
        "x-subchart" not in node
        and not nullable
        and ("properties" in node or types not in ("array", "object"))
    )


def values_schema(schema: Schema, dependencies: list[str]) -> Schema:
    """What Helm checks values with: no descriptions, and no key that nobody knows."""
    result: Schema = _published(schema)
    _require(schema, result)
    parents = {} if any("x-subchart" in c for c in schema["properties"].values()) else FROM_THE_PARENT
    handed_on = {name: {"type": "object"} for name in dependencies}
    properties = {**parents, **handed_on, **result["properties"]}
    properties["global"] = {**properties.get("global", {"type": "object"}), "additionalProperties": True}
    ordered = {name: properties[name] for name in sorted(properties)}
    return {"$schema": "http://json-schema.org/draft-07/schema#", **result, "properties": ordered}


def spliced(readme: str, content: str, where: str) -> str:
    """`readme` with `content` between its markers."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SourceError(f"{where} has no line {BEGIN} followed by a line {END}")
    return f"{before}{BEGIN}\n{content}\n{END}{after}"


def generated(charts: Charts, chart: str) -> dict[Path, str]:
    """Every file of this chart that is made from its source, by path."""
    folder = charts.folder / chart
    readme = folder / "README.md"
    page = readme.read_text(encoding="utf-8") if readme.exists() else f"# {chart}\n\n{BEGIN}\n{END}\n"
    if chart == "common":
        return {readme: spliced(page, definitions_page(charts.definitions()), str(readme))}
    schema = charts.values(chart)
    checked = (
        json.dumps(values_schema(schema, charts.dependencies(chart)), indent=2, ensure_ascii=False) + "\n"
    )
    return {
        folder / "values.yaml": values_yaml(schema),
        folder / "values.schema.json": checked,
        readme: spliced(page, table(schema), str(readme)),
    }


def main() -> None:
    """Writes what changed; with `--check`, exits 1 and names it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 when a file is out of date"
    )
    parser.add_argument(
        "--charts", type=Path, default=ROOT / "charts", help="the folder that holds the charts"
    )
    parser.add_argument("chart", nargs="*", help="only these charts")
    arguments = parser.parse_args()
    charts = Charts(arguments.charts)
    problems = []
    for chart in arguments.chart or ["common", *charts.names()]:
        try:
            files = generated(charts, chart)
        except (SourceError, OSError, yaml.YAMLError) as error:
            problems.append(f"{chart}: {error}")
            continue
        for path, content in files.items():
            if path.exists() and path.read_text(encoding="utf-8") == content:
                continue
            if arguments.check:
                problems.append(f"{path} is out of date. Run `make charts` and commit the result.")
            else:
                path.write_text(content, encoding="utf-8")
                print(path)
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
