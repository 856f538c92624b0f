"""Every check can fail: one fault at a time in a release without any, and what is said about it."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from charts.faults import CHECKS, FAULTS, GONE, Check, custom
from support.charts import schemas
from support.charts.helm import Object
from support.charts.pods import title


@functools.cache
def _good() -> str:
    """As JSON, in which what the file says once for several places is there several times."""
    return json.dumps(yaml.safe_load((Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")))


def good() -> list[Object]:
    objects: list[Object] = json.loads(_good())
    return objects


def edited(name: str, place: str, value: Any) -> list[Object]:
    """The good release with `value` at `place` of one object, or without what is there."""
    objects = good()
    target: Any = next(o for o in objects if title(o) == name)
    *way, last = place.split(".")
    for step in way:
        target = target[int(step)] if isinstance(target, list) else target.setdefault(step, {})
    key = int(last) if isinstance(target, list) else last
    if value is GONE:
        del target[key]
    else:
        target[key] = value
    return objects


def _skip_without_schemas(check: Check) -> None:
    if check is custom and not schemas.CUSTOM.is_dir():
        pytest.skip(f"{schemas.CUSTOM} with the schemas of custom kinds is not on this machine")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__qualname__)
def test_a_release_without_fault_passes(check: Check) -> None:
    _skip_without_schemas(check)
    assert list(check(good())) == []


@pytest.mark.parametrize(("check", "name", "place", "value", "says"), FAULTS)
def test_a_fault_is_found(check: Check, name: str, place: str, value: Any, says: str) -> None:
    _skip_without_schemas(check)
    found = list(check(edited(name, place, value)))
    assert any(says in problem for problem in found), found
