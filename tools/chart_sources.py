"""The charts' sources, with every reference replaced by what it refers to. See chart_values.py."""

import copy
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]
# Any chart may be a subchart: Helm then hands it these, whether it knows them or not.
FROM_THE_PARENT: Schema = {"global": {"type": "object"}, "enabled": {"type": "boolean"}}


class SourceError(ValueError):
    """A source says something that cannot be meant; the message names the key."""


class Charts:
    """The sources below one folder, with every reference replaced by what it refers to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, Schema] = {}

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
        if name not in self._files:
            content = yaml.safe_load((self.folder / name).read_text(encoding="utf-8"))
            if not isinstance(content, dict):
                raise SourceError(f"charts/{name} is not a mapping")
            self._files[name] = content
        return self._files[name]

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
