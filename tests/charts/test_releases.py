"""What holds across renderings: two releases, long names, the next version, packages, mirrors."""

import re
import shutil
from pathlib import Path

import pytest

from support.charts import contents, images
from support.charts.helm import CHARTS, HELMS, Object, objects_in, run
from support.charts.pods import kinds, title
from support.charts.scenario import Renderings, Scenario, scenarios

CHARTS_TO_INSTALL = sorted(path.parent.name for path in CHARTS.glob("*/values.schema.yaml"))
EACH = pytest.mark.parametrize("scenario", scenarios(), ids=str)
OF_THE_UMBRELLA = [s for s in scenarios() if s.install.chart.name == "pilothouse"]
EACH_OF_THE_UMBRELLA = pytest.mark.parametrize("scenario", OF_THE_UMBRELLA, ids=str)
# Their names change with their content.
JOBS = ("Job", "RayJob")
# The longest that Helm takes.
LONG = "a-release-name-as-long-as-helm-will-take-it-from-anyone"[:53]


def rendered(scenario: Scenario, **changes: object) -> list[Object]:
    """With other arguments than the scenario's own."""
    return objects_in(scenario.also(**changes).install.render(HELMS[0]))


@pytest.fixture
def plain(scenario: Scenario, renderings: Renderings) -> list[Object]:
    """As the scenario says."""
    return renderings.get(scenario, HELMS[0]).objects


def titles(objects: list[Object], scenario: Scenario) -> set[str]:
    return {title(o) for o in objects if o["metadata"]["name"] not in scenario.external.objects}


@EACH
def test_two_releases_fit_into_one_namespace(scenario: Scenario, plain: list[Object]) -> None:
    one, two = plain, rendered(scenario, release="two")
    assert titles(one, scenario) & titles(two, scenario) == set()
    wanted = [contents_of_wanted(objects) for objects in (one, two)]
    assert wanted[0] & wanted[1] == set()


def contents_of_wanted(objects: list[Object]) -> set[str]:
    """Names of the Secrets that a release's Jobs make."""
    texts = [o["data"].get("wanted.json", "") for o in kinds(objects, "ConfigMap")]
    return {name for text in texts for name in re.findall(r'"name": ?"([^"]+)"', text)}


@EACH
def test_a_long_release_name_makes_names_that_kubernetes_takes(scenario: Scenario) -> None:
    objects = rendered(scenario, release=LONG)
    foreign = scenario.external.objects
    assert list(contents.names([o for o in objects if o["metadata"]["name"] not in foreign], "ai")) == []


@EACH
def test_an_upgrade_renders_what_an_installation_does(scenario: Scenario, plain: list[Object]) -> None:
    assert rendered(scenario, upgrade=True) == plain


@EACH_OF_THE_UMBRELLA
def test_a_mirror_is_the_only_registry(scenario: Scenario) -> None:
    mirror = {"imageRegistry": "mirror.example.org:5000", "imagePullSecrets": ["mirror"]}
    values = scenario.install.values
    values = values | {"global": values.get("global", {}) | mirror}
    objects = rendered(scenario, values=values)
    own = [o for o in objects if o["metadata"]["name"] not in scenario.external.objects]
    assert {i for i in contents.images(own) if not i.startswith("mirror.example.org:5000/")} == set()
    assert list(contents.pull_secrets(own, "mirror")) == []


@pytest.fixture(scope="session")
def next_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The charts as they will be after the next release."""
    folder = tmp_path_factory.mktemp("next") / "charts"
    shutil.copytree(CHARTS, folder, symlinks=True)
    for path in folder.glob("*/Chart.yaml"):
        text = re.sub(r"\b0\.1\.0\b", "0.2.0", path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")
    return folder


@EACH
def test_the_next_version_keeps_names_and_selectors(
    scenario: Scenario, plain: list[Object], next_version: Path
) -> None:
    """Selectors are immutable, and a renamed object is a new one. Only Jobs are made anew."""
    now = plain
    then = rendered(scenario, chart=next_version / scenario.install.chart.name)
    assert [immutable(o) for o in now if o["kind"] not in JOBS] == [
        immutable(o) for o in then if o["kind"] not in JOBS
    ]
    jobs = [{o["metadata"]["name"] for o in kinds(objects, *JOBS)} for objects in (now, then)]
    assert jobs[0] & jobs[1] == set()


def immutable(o: Object) -> object:
    spec = o.get("spec", {})
    return title(o), spec.get("selector"), spec.get("serviceName"), spec.get("volumeClaimTemplates")


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize("chart", CHARTS_TO_INSTALL)
def test_helm_lint_finds_nothing(chart: str, helm: str, tmp_path: Path) -> None:
    scenario = next(s for s in scenarios() if s.install.chart.name == chart)
    values = tmp_path / "values.yaml"
    values.write_text(scenario.install.values_text(), encoding="utf-8")
    files = [part for f in scenario.install.files for part in ("--values", str(CHARTS / chart / f))]
    said = run(helm, "lint", "--strict", str(CHARTS / chart), *files, "--values", str(values))
    assert "[WARNING]" not in said
    assert "[ERROR]" not in said


@pytest.mark.parametrize("chart", CHARTS_TO_INSTALL)
def test_a_package_holds_all_that_it_needs(chart: str, tmp_path: Path, renderings: Renderings) -> None:
    scenario = next(s for s in scenarios() if s.install.chart.name == chart)
    run(HELMS[0], "package", str(CHARTS / chart), "--destination", str(tmp_path))
    (archive,) = tmp_path.glob("*.tgz")
    shutil.unpack_archive(archive, tmp_path / "unpacked")
    assert (
        rendered(scenario, chart=tmp_path / "unpacked" / chart) == renderings.get(scenario, HELMS[0]).objects
    )


def test_the_list_of_images_is_what_is_rendered(renderings: Renderings) -> None:
    """For those who copy images to a mirror. `make charts` renews it."""
    assert images.PATH.read_text(encoding="utf-8") == images.listing(renderings)
