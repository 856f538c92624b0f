"""values.yaml, values.schema.json and README tables from one source."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from chart_sources import Charts, SourceError, defaults
from chart_tables import definitions_page, table
from chart_values import generated, values_schema, values_yaml

TOOL = Path(__file__).parents[3] / "tools" / "chart_values.py"

DEFINITIONS = """
definitions:
  resources:
    description: Requests and limits.
    type: object
    additionalProperties: true
    default: {requests: {cpu: 100m}}
  scaling:
    description: How many pods.
    type: object
    properties:
      engine: {description: Who decides., type: string, enum: [none, hpa], default: none}
      pods: {description: At least., type: [integer, "null"], default: 1}
  pod:
    description: What every pod takes.
    type: object
    properties:
      resources: {$ref: "#/definitions/resources"}
      scaling: {$ref: "#/definitions/scaling"}
      labels: {description: Labels., type: object, additionalProperties: {type: string}, default: {}}
"""
QUERY = """
$ref: "common#/definitions/pod"
default: {resources: {limits: {memory: 1Gi}}, scaling: {pods: 2}}
properties:
  database:
    description: Where data is.
    type: object
    properties:
      host: {description: Name of the server., type: string, minLength: 1, default: db}
      description: {description: A key named like a keyword., type: string, default: ""}
"""
UMBRELLA = """
type: object
properties:
  global: {$ref: "common#/definitions/scaling", description: For all.}
  query:
    $ref: "chart#/query"
    description: The query service.
    default: {enabled: true, database: {host: "{{ .Release.Name }}-db"}}
"""


@pytest.fixture
def charts(tmp_path: Path) -> Charts:
    write(tmp_path, "common/definitions.yaml", DEFINITIONS)
    write(tmp_path, "query/values.schema.yaml", QUERY)
    write(tmp_path, "query/Chart.yaml", "name: query\ndependencies: [{name: common}]\n")
    write(tmp_path, "umbrella/values.schema.yaml", UMBRELLA)
    write(tmp_path, "umbrella/Chart.yaml", "dependencies: [{name: common}, {name: query}]\n")
    return Charts(tmp_path)


def write(folder: Path, name: str, content: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(content, encoding="utf-8")


def source(charts: Charts, content: str) -> Any:
    write(charts.folder, "other/values.schema.yaml", content)
    return charts.values("other")


def is_valid(charts: Charts, chart: str, values: Any) -> bool:
    """Whether Helm takes `values`, which it lays over the chart's own."""
    source = charts.values(chart)
    return jsonschema_rs.is_valid(
        values_schema(source, charts.dependencies(chart)), laid_over(defaults(source), values)
    )


def laid_over(below: Any, values: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(values, dict)):
        return values
    both = {**below, **{name: laid_over(below.get(name), value) for name, value in values.items()}}
    return {name: value for name, value in both.items() if value is not None}


def test_a_default_beside_a_reference_is_laid_over_those_below(charts: Charts) -> None:
    values = defaults(charts.values("query"))
    assert values["resources"] == {"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}}
    assert values["scaling"] == {"engine": "none", "pods": 2}


def test_one_use_of_a_definition_does_not_change_another(charts: Charts) -> None:
    charts.values("query")
    assert defaults(charts.definitions()["pod"])["scaling"]["pods"] == 1


def test_keys_beside_a_reference_are_added_and_come_first(charts: Charts) -> None:
    assert list(defaults(charts.values("query"))) == ["database", "resources", "scaling", "labels"]


def test_values_yaml_says_the_defaults(charts: Charts) -> None:
    schema = charts.values("query")
    assert yaml.safe_load(values_yaml(schema)) == defaults(schema)


def test_each_key_stands_below_its_description(charts: Charts) -> None:
    assert "  # Name of the server.\n  host: db\n" in values_yaml(charts.values("query"))


def test_long_descriptions_are_wrapped(charts: Charts) -> None:
    long = "word " * 60
    schema = source(charts, f"properties: {{a: {{description: {long}, type: string, default: x}}}}")
    assert max(map(len, values_yaml(schema).splitlines())) <= 100


def test_the_parent_lists_only_what_it_sets_otherwise(charts: Charts) -> None:
    text = values_yaml(charts.values("umbrella"))
    assert yaml.safe_load(text)["query"] == {"enabled": True, "database": {"host": "{{ .Release.Name }}-db"}}
    assert "Every key: charts/query/README.md." in text


def test_a_default_for_a_key_that_is_not_there_is_an_error(charts: Charts) -> None:
    with pytest.raises(SourceError, match="'hosts'"):
        source(charts, '{properties: {q: {$ref: "chart#/query", default: {database: {hosts: x}}}}}')


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("properties: {a: {type: string, default: x}}", "other.a has no description"),
        ("properties: {a: {description: A., type: string}}", "other.a has no default"),
        ('properties: {a: {$ref: "common#/definitions/nothing"}}', "no definition 'nothing'"),
        ('properties: {a: {$ref: "elsewhere#/a"}}', "other.a: .* is neither"),
        ("[]", "is not a mapping"),
    ],
)
def test_a_source_that_says_too_little_is_an_error(charts: Charts, content: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        source(charts, content)


@pytest.mark.parametrize(
    ("values", "valid"),
    [
        ({}, True),
        ({"database": {"host": "x"}}, True),
        ({"database": {"host": ""}}, False),
        ({"database": {"hosts": "x"}}, False),
        ({"databases": {}}, False),
        ({"database": {"description": "x"}}, True),
        ({"scaling": {"engine": "keda"}}, False),
        ({"scaling": {"pods": None}}, True),
        ({"labels": {"any": "x"}}, True),
        ({"labels": None}, True),
        ({"scaling": None}, False),
        ({"scaling": {"engine": None}}, False),
        ({"labels": {"any": 1}}, False),
        ({"resources": {"any": {"thing": 1}}}, True),
        # What Helm hands a subchart, and what it makes of a dependency.
        ({"global": {"any": "x"}, "enabled": True, "common": {"global": {}}}, True),
    ],
)
def test_the_schema_is_closed_but_where_the_source_opens_it(charts: Charts, values: Any, valid: bool) -> None:
    assert is_valid(charts, "query", values) is valid


@pytest.mark.parametrize(
    ("values", "valid"),
    [
        ({"query": {"any": 1}}, True),
        ({"qeury": {}}, False),
        ({"global": {"any": 1}}, True),
        ({"enabled": True}, False),
    ],
)
def test_the_parent_leaves_a_subcharts_values_to_the_subchart(
    charts: Charts, values: Any, valid: bool
) -> None:
    assert is_valid(charts, "umbrella", values) is valid


def test_a_condition_does_not_close_what_it_looks_at(charts: Charts) -> None:
    both = "{a: {description: A., default: x}, b: {description: B., default: x}}"
    rule = "{if: {properties: {a: {const: y}}}, then: {properties: {b: {const: z}}}}"
    source(charts, f"{{type: object, properties: {both}, allOf: [{rule}]}}")
    assert is_valid(charts, "other", {"a": "y", "b": "z"})
    assert not is_valid(charts, "other", {"a": "y"})


@pytest.mark.parametrize(
    ("leaf", "valid"),
    [
        ("{description: A., type: string, default: x}", False),
        ("{description: A., type: string, default: x, minLength: 0}", True),
        ('{description: A., type: string, default: ""}', True),
    ],
)
def test_a_text_with_a_default_is_not_empty_unless_the_source_says_so(
    charts: Charts, leaf: str, valid: bool
) -> None:
    source(charts, f"{{type: object, properties: {{a: {leaf}}}}}")
    assert is_valid(charts, "other", {"a": ""}) is valid


def test_the_table_leaves_to_the_common_page_what_is_not_set_otherwise(charts: Charts) -> None:
    rows = table(charts.values("query")).splitlines()
    keys = [row.split("`")[1] for row in rows if row.startswith("| `")]
    assert keys == ["database", "database.host", "database.description", "resources", "scaling.pods"]
    assert rows[-1] == "It also takes [what every part takes](../common/README.md#pod)."


def test_the_parents_table_has_the_keys_it_sets(charts: Charts) -> None:
    assert '| `query.database.host` | string | `"{{ .Release.Name }}-db"` | Name of the server. |' in table(
        charts.values("umbrella")
    )


def test_the_common_page_links_within_itself(charts: Charts) -> None:
    assert "How many pods. [All its keys](#scaling)." in definitions_page(charts.definitions())


def test_a_bar_in_a_cell_does_not_end_it(charts: Charts) -> None:
    schema = source(charts, "properties: {a: {description: one | two, type: string, default: x}}")
    assert r"one \| two" in table(schema)


def test_the_rest_of_a_readme_stays(charts: Charts) -> None:
    write(charts.folder, "query/README.md", "# Q\n<!-- values:begin -->\nold\n<!-- values:end -->\nAfter.\n")
    page = generated(charts, "query")[charts.folder / "query" / "README.md"]
    assert page.startswith("# Q\n<!-- values:begin -->\n| key |")
    assert page.endswith("<!-- values:end -->\nAfter.\n")
    assert "old" not in page


def test_a_readme_without_the_markers_is_an_error(charts: Charts) -> None:
    write(charts.folder, "query/README.md", "# Q\n")
    with pytest.raises(SourceError, match="values:begin"):
        generated(charts, "query")


def run(charts: Charts, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), "--charts", str(charts.folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_what_was_just_made_is_not_out_of_date(charts: Charts) -> None:
    assert run(charts).returncode == 0
    assert run(charts, "--check").returncode == 0


def test_check_names_what_is_out_of_date_and_writes_nothing(charts: Charts) -> None:
    run(charts)
    write(charts.folder, "query/values.yaml", "other: 1\n")
    checked = run(charts, "--check")
    assert checked.returncode == 1
    assert "query/values.yaml is out of date. Run `make charts`" in checked.stderr
    assert (charts.folder / "query" / "values.yaml").read_text(encoding="utf-8") == "other: 1\n"


def test_a_fault_in_one_chart_does_not_keep_the_others_from_being_made(charts: Charts) -> None:
    write(charts.folder, "broken/values.schema.yaml", "properties: {a: {}}")
    made = run(charts)
    assert "broken: broken.a has no description" in made.stderr
    assert (charts.folder / "query" / "values.yaml").exists()
