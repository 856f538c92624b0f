"""Values that contradict each other, and clusters that lack something: one sentence each, with what to do."""

import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.charts.cluster import Cluster, definition, node, serving, storage_class
from support.charts.helm import CHARTS, HELMS, Install, Object, Refused
from support.charts.scenario import merged, scenarios

Case = dict[str, Any]
Refusals = dict[tuple[str, str], Future[str]]
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


def cluster(case: Case) -> Cluster:
    asked = case["cluster"]
    return Cluster(
        nodes=[node(**allocatable) for allocatable in asked.get("nodes", [])],
        classes=[storage_class(**each) for each in asked.get("classes", [])],
        definitions=[definition(name, fields) for name, fields in asked.get("definitions", {}).items()],
        forbidden=asked.get("forbidden", []),
    )


def refused(case: Case, helm: str) -> str:
    """What Helm says."""
    try:
        if "cluster" not in case:
            install(case, {}).render(helm)
        else:
            with tempfile.TemporaryDirectory() as folder, serving(cluster(case), Path(folder)) as kubeconfig:
                install(case, {}).render(helm, kubeconfig)
    except Refused as refused:
        return plain(str(refused))
    return "It was rendered."


@pytest.fixture(scope="module")
def refusals() -> Iterator[Refusals]:
    """By case and Helm, in the background: most of the time goes into waiting for the cluster's answers."""
    with ThreadPoolExecutor(max_workers=4) as threads:
        yield {(case["case"], helm): threads.submit(refused, case, helm) for case in CASES for helm in HELMS}


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("helm", HELMS)
@EACH
def test_it_is_refused_in_words(case: Case, helm: str, refusals: Refusals) -> None:
    said = refusals[case["case"], helm].result()
    assert [part for part in case["says"] if plain(part) not in said] == [], said


@pytest.mark.parametrize("case", [c for c in CASES if "without" in c], ids=lambda case: case["case"])
def test_rendering_away_from_the_cluster_goes_on(case: Case) -> None:
    """GitOps renders where no cluster can be asked."""
    assert install(case, {"global": {"preflight": False}}).render(HELMS[0])


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize(
    ("scenario", "nodes"),
    [("defaults", [{}]), ("inference-tgi", [{"nvidia.com/gpu": 1}, {"nvidia.com/gpu": 2}])],
)
def test_a_cluster_that_has_what_is_wanted_is_not_refused(
    scenario: str, nodes: list[dict[str, int]], helm: str, tmp_path: Path
) -> None:
    case = {"scenario": scenario, "cluster": {"nodes": nodes, "classes": [{"name": "slow", "default": True}]}}
    with serving(cluster(case), tmp_path) as kubeconfig:
        assert install(case, {}).render(helm, kubeconfig)


@pytest.mark.parametrize("helm", HELMS)
def test_an_operator_that_knows_the_quorum_is_not_refused(helm: str, tmp_path: Path) -> None:
    fields = ["spec.postgresql.synchronous.failoverQuorum"]
    asked = {
        "classes": [{"name": "slow", "default": True}],
        "definitions": {"clusters.postgresql.cnpg.io": fields},
    }
    case = {"scenario": "database-backups", "cluster": asked}
    with serving(cluster(case), tmp_path) as kubeconfig:
        assert "failoverQuorum: true" in install(case, {}).render(helm, kubeconfig)


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
def test_every_refusal_of_a_template_has_a_case(path: Path, refusals: Refusals) -> None:
    said = [refusals[case["case"], HELMS[0]].result() for case in CASES]
    template = "".join(
        line for line in path.read_text(encoding="utf-8").splitlines(True) if "Call:" not in line
    )
    assert [s for s in sentences(template) if not any(re.search(s, text) for text in said)] == []


def test_a_refusal_without_a_case_is_found() -> None:
    template = (
        '{{ include "common.refuse" (list (printf "%s is \\"odd\\"" $x)) }}{{ $y | required "y is empty" }}'
    )
    assert list(sentences(template)) == ['.+\\ is\\ "odd"', "y\\ is\\ empty"]
