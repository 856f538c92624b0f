"""A number arrives as it was written: Helm reads those of a file as floating-point ones."""

import pytest

from support.charts.helm import HELMS
from support.charts.pods import environment, kinds, one
from support.charts.scenario import rendered


@pytest.mark.parametrize("helm", HELMS)
def test_a_large_number_among_the_settings_keeps_its_digits(helm: str) -> None:
    settings = {"PARSING_MEMORY": 2147483648, "SEARCH_SHARE": 0.5, "LOG_LEVEL": "DEBUG", "X_FLAG": True}
    query = one(rendered("query-alone", {"settings": settings}, helm), "Deployment", "search-query")
    env = environment(query["spec"]["template"]["spec"]["containers"][0])
    assert {name: env[f"PILOTHOUSE_{name}"] for name in settings} == {
        "PARSING_MEMORY": "2147483648",
        "SEARCH_SHARE": "0.5",
        "LOG_LEVEL": "DEBUG",
        "X_FLAG": "true",
    }


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize("engine", ["job", "ray"])
def test_a_deadline_of_a_million_seconds_is_a_whole_number(engine: str, helm: str) -> None:
    objects = rendered("ingest-bulk", {"bulk": {"engine": engine, "activeDeadlineSeconds": 1000000}}, helm)
    (job,) = kinds(objects, "Job", "RayJob")
    assert repr(job["spec"]["activeDeadlineSeconds"]) == "1000000"
