"""Values that contradict each other, and clusters that lack something: one sentence each, with what to do."""

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.charts.helm import CHARTS, HELMS, Install, Object, Refused
from support.charts.scenario import merged, scenarios

Case = dict[str, Any]
CASES: list[Case] = yaml.safe_load((Path(__file__).parent / "refusals.yaml").read_text(encoding="utf-8"))
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])


def install(case: Case, values: Object) -> Install:
    begin = next(s for s in scenarios() if s.name == case["scenario"])
    changed = begin.also(
        values=merged(merged(begin.install.values, case.get("values", {})), values),
        apis=[api for api in begin.install.apis if not api.startswith(tuple(case.get("without", [])))],
        kubernetes=case.get("kubernetes", begin.install.kubernetes.removesuffix(".0")) + ".0",
    )
    return changed.install


@functools.cache
def refusal(index: int, helm: str) -> str:
    try:
        install(CASES[index], {}).render(helm)
    except Refused as refused:
        return plain(str(refused))
    return "It was rendered."


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("helm", HELMS)
@EACH
def test_it_is_refused_in_words(case: Case, helm: str) -> None:
    said = refusal(CASES.index(case), helm)
    assert [part for part in case["says"] if plain(part) not in said] == [], said


@pytest.mark.parametrize("case", [c for c in CASES if "without" in c], ids=lambda case: case["case"])
def test_rendering_away_from_the_cluster_goes_on(case: Case) -> None:
    """GitOps renders where no cluster can be asked."""
    assert install(case, {"global": {"preflight": False}}).render(HELMS[0])


def sentences(template: str) -> Iterator[str]:
    """What a template may refuse with; where something is put in, any text fits."""
    text = r'"((?:[^"\\]|\\.)*)"'
    for found in re.findall(rf'common\.refuse" \(list (?:\(printf )?{text}|required {text}', template):
        yield re.sub(r"%[a-z]", ".+", re.escape(plain(_unescaped("".join(found)))))
    for kind, what in re.findall(rf'common\.requireKind" \(list \S+ {text} {text}', template):
        yield f"{re.escape(what)} is not installed in this cluster \\(there is no {re.escape(kind)}\\)"


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n").replace('\\"', '"')


TEMPLATES = sorted(path for path in CHARTS.glob("*/templates/**/*") if path.suffix in (".tpl", ".yaml"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(CHARTS)))
def test_every_refusal_of_a_template_has_a_case(path: Path) -> None:
    said = [refusal(index, HELMS[0]) for index in range(len(CASES))]
    template = "".join(
        line for line in path.read_text(encoding="utf-8").splitlines(True) if "Call:" not in line
    )
    assert [s for s in sentences(template) if not any(re.search(s, text) for text in said)] == []


def test_a_refusal_without_a_case_is_found() -> None:
    template = (
        '{{ include "common.refuse" (list (printf "%s is \\"odd\\"" $x)) }}{{ $y | required "y is empty" }}'
    )
    assert list(sentences(template)) == ['.+\\ is\\ "odd"', "y\\ is\\ empty"]
