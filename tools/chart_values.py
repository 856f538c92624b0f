"""Makes values.yaml, values.schema.json and the README's table of each chart from its values.schema.yaml.

The source is JSON Schema (draft 7) in YAML. Every property has a `description`, every leaf a `default`.
`$ref: "common#/definitions/NAME"` takes a definition of charts/common/definitions.yaml, and `"chart#/NAME"`
the values of a subchart. What stands beside a reference wins over it: `properties` are added, and `default`
is laid over the defaults of what is referred to, however deep. `--check` only says what is out of date.
"""

import argparse
import copy
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]
ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- values:begin -->", "<!-- values:end -->"
HEADER = "# Made from values.schema.yaml by `make charts`. Change that file, not this one."
# Any chart may be a subchart: Helm then hands it these, whether it knows them or not.
FROM_THE_PARENT: Schema = {"global": {"type": "object"}, "enabled": {"type": "boolean"}}
WIDTH = 100
LONGEST_CELL = 100


class SourceError(ValueError):
    """A source says something that cannot be meant; the message names the key."""


class Charts:
    """The sources below one folder, with every reference replaced by what it refers to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        return sorted(source.parent.name for source in self.folder.glob("*/values.schema.yaml"))

    def values(self, chart: str) -> Schema:
        schema = self._resolve(self._read(f"{chart}/values.schema.yaml"), chart)
        _require_documentation(schema, chart)
        return schema

    def definitions(self) -> dict[str, Schema]:
        names = self._read("common/definitions.yaml").get("definitions", {})
        return {name: self._definition(name) for name in names}

    def dependencies(self, chart: str) -> list[str]:
        """The keys under which Helm hands values on to subcharts."""
        path = self.folder / chart / "Chart.yaml"
        found = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
        return [d.get("alias") or d["name"] for d in found.get("dependencies", [])]

    def _read(self, name: str) -> Schema:
        content = yaml.safe_load((self.folder / name).read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise SourceError(f"charts/{name} is not a mapping")
        return content

    def _definition(self, name: str) -> Schema:
        found = self._read("common/definitions.yaml").get("definitions", {})
        if name not in found:
            raise SourceError(f"charts/common/definitions.yaml has no definition {name!r}")
        return self._resolve(found[name], f"common#/definitions/{name}")

    def _resolve(self, node: Schema, where: str) -> Schema:
        node = copy.deepcopy(node)
        reference = node.pop("$ref", None)
        for keyword, child in node.items():
            if keyword == "properties":
                node[keyword] = {name: self._resolve(c, f"{where}.{name}") for name, c in child.items()}
            elif keyword in ("items", "additionalProperties") and isinstance(child, dict):
                node[keyword] = self._resolve(child, where)
            elif keyword in ("anyOf", "oneOf", "allOf"):
                node[keyword] = [self._resolve(c, where) for c in child]
        return node if reference is None else self._refer(reference, node, where)

    def _refer(self, reference: str, beside: Schema, where: str) -> Schema:
        file, _, name = reference.rpartition("/")
        if file in ("common#/definitions", "#/definitions"):
            target = self._definition(name)
            link = f"../common/README.md#{name.lower()}"
        elif file == "chart#":
            target = self._resolve(self._read(f"{name}/values.schema.yaml"), name)
            target["properties"] = {**copy.deepcopy(FROM_THE_PARENT), **target["properties"]}
            target["x-subchart"] = name
            link = f"../{name}/README.md"
        else:
            raise SourceError(f"{where}: $ref {reference!r} is neither common#/definitions/… nor chart#/…")
        override = beside.pop("default", _NOTHING)
        own = beside.pop("properties", {})
        result = {**target, **beside}
        if own:
            result["properties"] = {**own, **{k: v for k, v in target["properties"].items() if k not in own}}
        if "properties" in target:
            result |= {"x-link": link, "x-own": sorted(own), "x-override": {}}
        if override is not _NOTHING:
            _override(result, override, where)
            result["x-override"] = override
        return result


_NOTHING: Any = object()


def _override(node: Schema, value: Any, where: str) -> None:
    """Lays `value` over the defaults below `node`."""
    properties = node.get("properties")
    if properties is None or not isinstance(value, dict):
        old = node.get("default")
        node["default"] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        return
    for name, child in value.items():
        if name in properties:
            _override(properties[name], child, f"{where}.{name}")
        elif node.get("additionalProperties"):
            node.setdefault("default", {})[name] = child
        else:
            raise SourceError(
                f"{where}: the default sets {name!r}, which is not one of {', '.join(properties)}"
            )


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        old = below.get(key)
        result[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def _require_documentation(node: Schema, where: str) -> None:
    for name, child in node.get("properties", {}).items():
        path = f"{where}.{name}"
        if not child.get("description"):
            raise SourceError(f"{path} has no description")
        if "x-subchart" in child:
            continue
        if "properties" in child:
            _require_documentation(child, path)
        elif "default" not in child:
            raise SourceError(f"{path} has no default")


def defaults(node: Schema) -> Any:
    """What values.yaml says for this node; of a subchart only what the parent sets otherwise."""
    if "x-subchart" in node:
        return node["x-override"]
    if "properties" not in node:
        return node.get("default")
    return {**{n: defaults(c) for n, c in node["properties"].items()}, **(node.get("default") or {})}


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
    if close and "properties" in result:
        result.setdefault("additionalProperties", False)
    return result


def values_schema(schema: Schema, dependencies: list[str]) -> Schema:
    """What Helm checks values with: no descriptions, and no key that nobody knows."""
    result: Schema = _published(schema)
    parents = {} if any("x-subchart" in c for c in schema["properties"].values()) else FROM_THE_PARENT
    handed_on = {name: {"type": "object"} for name in dependencies}
    properties = {**parents, **handed_on, **result["properties"]}
    properties["global"] = {**properties.get("global", {"type": "object"}), "additionalProperties": True}
    ordered = {name: properties[name] for name in sorted(properties)}
    return {"$schema": "http://json-schema.org/draft-07/schema#", **result, "properties": ordered}


def _type(node: Schema) -> str:
    if "enum" in node:
        return " or ".join(f"`{json.dumps(choice)}`" for choice in node["enum"])
    if "anyOf" in node or "oneOf" in node:
        return " or ".join(dict.fromkeys(_type(c) for c in node.get("anyOf") or node["oneOf"]))
    names = node.get("type", "any")
    return " or ".join("list" if n == "array" else n for n in ([names] if isinstance(names, str) else names))


def _row(key: str, kind: str, default: Any, meaning: str) -> str:
    shown = "" if default is _NOTHING else f"`{json.dumps(default, ensure_ascii=False)}`"
    if len(shown) > LONGEST_CELL:
        shown = "see values.yaml"
    cells = (f"`{key}`", kind, shown, " ".join(meaning.split()))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _leaves(node: Schema, value: Any, key: str) -> Iterator[str]:
    """Rows for the keys that an override sets."""
    for name, child in value.items():
        below = node.get("properties", {}).get(name)
        path = f"{key}{name}"
        if below and "properties" in below and isinstance(child, dict):
            yield from _leaves(below, child, f"{path}.")
        elif below and name not in FROM_THE_PARENT:
            yield _row(path, _type(below), defaults(below), below["description"])
        else:
            yield _row(
                path,
                _type(below or {}),
                child,
                "Whether this part is installed." if name == "enabled" else "",
            )


def _rows(node: Schema, key: str = "") -> Iterator[str]:
    hidden = set(node["properties"]) - set(node["x-own"]) if "x-link" in node else set()
    for name, child in node["properties"].items():
        if name in hidden:
            continue
        path = f"{key}{name}"
        if "properties" not in child:
            yield _row(path, _type(child), child["default"], child["description"])
            continue
        link = f" [All its keys]({child['x-link']})." if "x-link" in child else ""
        yield _row(path, "object", _NOTHING, child["description"] + link)
        yield from _rows(child, f"{path}.")
    if hidden:
        override = {
            n: v for n, v in (node["x-override"] or {}).items() if n in hidden or "x-subchart" in node
        }
        yield from _leaves(node, override, key)


def table(schema: Schema) -> str:
    """The README's table. Keys that come from the common chart stand in its README, unless set otherwise."""
    lines = ["| key | type | default | meaning |", "|---|---|---|---|", *_rows(schema)]
    if "x-link" in schema:
        lines += ["", f"It also takes [what every part takes]({schema['x-link']})."]
    return "\n".join(lines)


def definitions_page(definitions: dict[str, Schema]) -> str:
    """The common chart's page: one table for each definition that has keys."""
    parts = []
    for name, node in definitions.items():
        if "properties" in node:
            parts.append(f"### {name}\n\n{' '.join(node.get('description', '').split())}\n\n{table(node)}")
    return "\n\n".join(parts).replace("(../common/README.md#", "(#")


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
