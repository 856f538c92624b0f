"""What Helm says after an installation: how to open the page, and what is not as it should be for good."""

import re
from pathlib import Path

import pytest

from support.charts.cluster import Cluster, serving
from support.charts.helm import CHARTS, HELMS, Install, Object, run
from support.charts.pods import kinds, pods
from support.charts.scenario import Renderings, Scenario, merged, scenarios

OF_THE_UMBRELLA = [s for s in scenarios() if s.install.chart.name == "pilothouse"]
DEFAULTS = next(s for s in scenarios() if s.name == "defaults")
PROXY: Object = {"mode": "proxy", "proxy": {"from": [{"podSelector": {}}]}}


def notes(install: Install, folder: Path, helm: str = HELMS[0]) -> str:
    # Helm 3 wants a cluster to be there even when it shall not ask it.
    with serving(Cluster(), folder) as kubeconfig:
        values = folder / "values.yaml"
        values.write_text(install.values_text(), encoding="utf-8")
        files = [part for f in install.files for part in ("--values", str(install.chart / f))]
        said = run(
            helm,
            *("install", install.release, str(install.chart), "--namespace", install.namespace),
            *("--dry-run=client", "--disable-openapi-validation"),
            *(["--kubeconfig", str(kubeconfig)] if helm == "helm3" else []),
            *(*files, "--values", str(values), "--set", "global.preflight=false"),
            home=folder,
        )
    return said.partition("\nNOTES:\n")[2]


@pytest.mark.parametrize("scenario", OF_THE_UMBRELLA, ids=str)
def test_services_in_the_notes_are_there(scenario: Scenario, tmp_path: Path, renderings: Renderings) -> None:
    said = notes(scenario.install, tmp_path)
    there = {o["metadata"]["name"] for o in kinds(renderings.get(scenario, HELMS[0]).objects, "Service")}
    assert set(re.findall(r"svc/(\S+)", said)) <= there
    assert f"helm test {scenario.install.release} -n {scenario.install.namespace}" in said


def test_both_helms_say_the_same(tmp_path: Path) -> None:
    assert notes(DEFAULTS.install, tmp_path, "helm3") == notes(DEFAULTS.install, tmp_path, "helm4") != ""


def test_documents_that_the_charts_name_are_there() -> None:
    texts = [p for p in CHARTS.rglob("*") if p.suffix in (".txt", ".tpl", ".yaml", ".md") and p.is_file()]
    named = {page for path in texts for page in re.findall(r"\bdocs/[\w/-]+\.md", path.read_text("utf-8"))}
    assert named
    assert sorted(page for page in named if not (CHARTS.parent / page).exists()) == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "WARNING: nobody signs in"),
        ({}, "WARNING: there is no backup"),
        ({}, "The database stays when the release is uninstalled"),
        ({}, "port-forward svc/search-chat-ui 8080"),
        (
            {"chat-ui": {"ingress": {"enabled": True, "host": "ask.example.org", "tlsSecret": "t"}}},
            "https://ask.",
        ),
        ({"chat-ui": {"ingress": {"enabled": True, "host": "ask.example.org"}}}, "IS reachable from outside"),
        (
            {"chat-ui": {"route": {"enabled": True, "parentRefs": [{"name": "g"}], "hostnames": ["a.org"]}}},
            "://a.org",
        ),
        ({"chat-ui": {"auth": PROXY}}, "at the address of your proxy"),
        ({"chat-ui": {"auth": PROXY, "ingress": {"enabled": True, "host": "a.org"}}}, "http://a.org"),
        ({"chat-ui": {"service": {"type": "NodePort"}}}, "IS reachable from outside"),
        ({"chat-ui": {"service": {"type": "LoadBalancer"}}}, "get svc/search-chat-ui"),
        ({}, "the small packaged model"),
        ({}, "A chart from a registry\ncomes without them"),
    ],
)
def test_the_notes_say_it(values: Object, says: str, tmp_path: Path) -> None:
    assert says in notes(DEFAULTS.also(values=values).install, tmp_path)


@pytest.mark.parametrize(
    ("values", "hides"),
    [
        ({}, "IS reachable"),
        # In this mode it leads to a 401.
        ({"chat-ui": {"auth": PROXY}}, "port-forward svc/"),
        ({"chat-ui": {"service": {"type": "LoadBalancer"}}}, "port-forward svc/"),
        ({"inference": {"model": {"name": "Qwen/Qwen2.5-1.5B"}, "file": "a.gguf"}}, "small packaged model"),
    ],
)
def test_the_notes_do_not_say_it(values: Object, hides: str, tmp_path: Path) -> None:
    assert hides not in notes(DEFAULTS.also(values=values).install, tmp_path)


@pytest.mark.parametrize("scenario", OF_THE_UMBRELLA, ids=str)
def test_the_pods_to_watch_are_all_of_them(
    scenario: Scenario, tmp_path: Path, renderings: Renderings
) -> None:
    labels = re.findall(r"get pods -l (\S+)=(\S+)", notes(scenario.install, tmp_path))
    assert len(labels) == 1
    watched = pods(renderings.get(scenario, HELMS[0]).own)
    assert [str(pod) for pod in watched if pod.labels.get(labels[0][0]) != labels[0][1]] == []


def test_nothing_is_warned_of_that_is_not_so(tmp_path: Path) -> None:
    store = {"destinationPath": "s3://b/p", "s3": {"existingSecret": "s3"}}
    values = {"chat-ui": {"auth": PROXY}, "database": {"backup": {"method": "plugin", "store": store}}}
    said = notes(DEFAULTS.also(values=merged(DEFAULTS.install.values, values)).install, tmp_path)
    assert "WARNING" not in said
