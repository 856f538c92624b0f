"""The tables of values in the charts' READMEs. See chart_values.py."""

import json
from collections.abc import Iterator
from typing import Any

from chart_sources import FROM_THE_PARENT, Schema, defaults

LONGEST_CELL = 100
NOTHING: Any = object()


def _type(node: Schema) -> str:
    if "enum" in node:
        return " or ".join(f"`{json.dumps(choice)}`" for choice in node["enum"])
    if "anyOf" in node or "oneOf" in node:
        return " or ".join(dict.fromkeys(_type(c) for c in node.get("anyOf") or node["oneOf"]))
    names = node.get("type", "any")
    return " or ".join("list" if n == "array" else n for n in ([names] if isinstance(names, str) else names))


def _row(key: str, kind: str, default: Any, meaning: str) -> str:
    shown = "" if default is NOTHING else f"`{json.dumps(default, ensure_ascii=False)}`"
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
        yield _row(path, "object", NOTHING, child["description"] + link)
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
