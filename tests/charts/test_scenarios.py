"""What must hold of every object in every scenario, whichever Helm renders it."""

import pytest

from support.charts import contents, pod_security, programs, reachability, references, schemas, selectors
from support.charts.helm import CHARTS, HELMS
from support.charts.scenario import Rendering, Renderings, Scenario, scenarios

# The versions that a scenario's kinds exist in begin with its own.
VERSIONS = [pytest.param(version, id=version) for version in schemas.VERSIONS]


@pytest.fixture(scope="session")
def parts(renderings: Renderings) -> frozenset[str]:
    """All parts of the product; a scenario may leave some out."""
    return frozenset(part for rendering in renderings.all() for part in selectors.components(rendering.own))


@pytest.mark.parametrize("version", VERSIONS)
def test_native_objects_fit_their_schemas(rendering: Rendering, version: str) -> None:
    if version < rendering.scenario.install.kubernetes.removesuffix(".0"):
        version = rendering.scenario.install.kubernetes.removesuffix(".0")
    native = [o for o in rendering.objects if schemas.is_native(o)]
    assert [problem for o in native for problem in schemas.problems(o, version)] == []


def test_custom_objects_fit_their_schemas(rendering: Rendering) -> None:
    if not schemas.CUSTOM.is_dir():
        pytest.skip(f"{schemas.CUSTOM} with the schemas of custom kinds is not on this machine")
    custom = [o for o in rendering.objects if not schemas.is_native(o)]
    assert [problem for o in custom for problem in schemas.problems(o, "any")] == []


def test_selectors_find_what_they_are_for(rendering: Rendering, parts: frozenset[str]) -> None:
    assert list(selectors.problems(rendering.objects, parts)) == []


def test_references_resolve(rendering: Rendering) -> None:
    assert list(references.problems(rendering.objects, rendering.scenario.external)) == []


def test_network_policies_let_through_what_must_talk_and_fence_every_pod(rendering: Rendering) -> None:
    scenario = rendering.scenario
    assert list(reachability.problems(rendering.own, fenced=scenario.fenced)) == []


def test_containers_run_programs_that_are_there_and_take_their_settings(rendering: Rendering) -> None:
    assert list(programs.problems(rendering.own)) == []


def test_pods_are_restricted(rendering: Rendering) -> None:
    assert list(pod_security.problems(rendering.own)) == []


def test_names_are_unique_and_stay_in_the_namespace(rendering: Rendering) -> None:
    assert list(contents.names(rendering.own, rendering.scenario.install.namespace)) == []


def test_labels_are_complete(rendering: Rendering) -> None:
    assert list(contents.labels(rendering.own)) == []


def test_lists_have_no_key_twice(rendering: Rendering) -> None:
    assert list(contents.unique_in_lists(rendering.objects)) == []


def test_no_secret_is_in_plain_text(rendering: Rendering) -> None:
    assert list(contents.literal_secrets(rendering.own)) == []


def test_pods_have_the_time_that_their_programs_want_to_end(rendering: Rendering) -> None:
    assert list(contents.grace(rendering.own)) == []


def test_no_image_moves(rendering: Rendering) -> None:
    assert list(contents.moving_images(contents.images(rendering.objects))) == []


@pytest.mark.parametrize("scenario", scenarios(), ids=str)
def test_rendering_twice_gives_the_same_bytes(scenario: Scenario, renderings: Renderings) -> None:
    assert scenario.install.render(HELMS[0]) == renderings.get(scenario, HELMS[0]).text


@pytest.mark.parametrize("scenario", scenarios(), ids=str)
def test_both_helms_render_the_same_objects(scenario: Scenario, renderings: Renderings) -> None:
    assert renderings.get(scenario, HELMS[0]).objects == renderings.get(scenario, HELMS[1]).objects


def test_every_values_file_of_the_umbrella_is_a_scenario() -> None:
    there = {path.name for path in (CHARTS / "pilothouse").glob("values-*.yaml")}
    assert there
    assert there - {file for scenario in scenarios() for file in scenario.install.files} == set()


def test_every_chart_is_a_scenario() -> None:
    there = {path.parent for path in CHARTS.glob("*/values.schema.yaml")}
    assert there - {scenario.install.chart for scenario in scenarios()} == set()
