"""Values that contradict each other, and clusters that lack something: one sentence each, with what to do."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.charts.helm import CHARTS, HELMS, OPERATORS, Install, Refused

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "refusals.yaml").read_text(encoding="utf-8")
)


def install(case: dict[str, Any]) -> Install:
    return Install(
        chart=CHARTS / case.get("chart", "pilothouse"),
        files=case.get("files", []),
        values=case.get("values", {}),
        apis=[api for api in OPERATORS if not api.startswith(tuple(case.get("without", [])))],
        kubernetes=case.get("kubernetes", "1.32") + ".0",
    )


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_it_is_refused_in_words(case: dict[str, Any], helm: str) -> None:
    with pytest.raises(Refused) as refused:
        install(case).render(helm)
    for part in case["says"]:
        assert words(part) in words(str(refused.value))


@pytest.mark.parametrize("case", [c for c in CASES if "without" in c], ids=lambda case: case["case"])
def test_rendering_away_from_the_cluster_goes_on(case: dict[str, Any]) -> None:
    """GitOps renders where no cluster can be asked."""
    values = case.get("values", {})
    away = values | {"global": {**values.get("global", {}), "preflight": False}}
    assert install(case | {"values": away}).render(HELMS[0])
