"""Every object against the schema of its kind, as strictly as an API server with strict field validation."""

import functools
import importlib.resources
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs

from support.charts.helm import ROOT, Object
from support.charts.pods import title

VERSIONS = ("1.32", "1.33", "1.34", "1.35", "1.36", "1.37")
NATIVE = Path(str(importlib.resources.files("kubernetes_validate"))) / "kubernetes-json-schema"
CUSTOM = Path(os.environ.get("PILOTHOUSE_CRD_SCHEMAS", ROOT.parent / "shared" / "specs" / "crds"))
NATIVE_GROUPS = {
    "",
    "apps",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
}


def is_native(o: Object) -> bool:
    return o["apiVersion"].rpartition("/")[0] in NATIVE_GROUPS


def file_name(o: Object) -> str:
    group, _, version = o["apiVersion"].rpartition("/")
    return "-".join([o["kind"].lower(), *([group.split(".")[0]] if group else []), version]) + ".json"


def problems(o: Object, version: str) -> list[str]:
    """What is wrong with it, each with the place; `version` is that of Kubernetes, for its own kinds."""
    found = _native(file_name(o), version) if is_native(o) else _custom(file_name(o))
    if found is None:
        return [f"{title(o)}: there is no {o['apiVersion']} {o['kind']} in {version}"]
    errors = [f"{title(o)}: {'.'.join(map(str, e.instance_path))}: {e.message}" for e in found.iter_errors(o)]
    return errors + [
        f"{title(o)}: {place} is null, as an empty value in a template leaves it" for place in nulls(o)
    ]


def nulls(value: Any, place: str = "") -> Iterator[str]:
    if value is None:
        yield place.lstrip(".")
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from nulls(child, f"{place}.{key}")
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from nulls(child, f"{place}.{index}")


@functools.cache
def _native(name: str, version: str) -> jsonschema_rs.Draft202012Validator | None:
    path = NATIVE / f"v{version}.0-local-strict" / name
    if not path.exists():
        return None
    schema = json.loads(path.read_text(encoding="utf-8"))
    return jsonschema_rs.Draft202012Validator(schema, registry=_definitions(version))


@functools.cache
def _definitions(version: str) -> jsonschema_rs.Registry:
    path = NATIVE / f"v{version}.0-local-strict" / "_definitions.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    return jsonschema_rs.Registry([(content["$id"], content)])


@functools.cache
def _custom(name: str) -> jsonschema_rs.Draft7Validator | None:
    path = CUSTOM / name
    return (
        jsonschema_rs.Draft7Validator(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
    )
