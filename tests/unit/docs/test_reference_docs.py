"""The reference pages name every setting and every error code, and nothing that is not there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic_settings import BaseSettings

from pilothouse_chat_ui.settings import Settings as ChatSettings
from pilothouse_ingest.bulk.settings import BulkProcessSettings
from pilothouse_ingest.settings import IngestSettings
from pilothouse_model_server.settings import Settings as ModelServerSettings
from pilothouse_query.settings import Settings as QuerySettings

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "docs" / "reference"
SOURCES = [*(ROOT / "services").glob("*/src/*"), ROOT / "libs" / "core" / "src" / "pilothouse_core"]

# Read by the command and by the tests; no settings class holds them.
OTHER_VARIABLES = {
    "MODEL_URL",
    "PILOTHOUSE_HOME",
    "PILOTHOUSE_CHAT_UI_PORT",
    "PILOTHOUSE_INGEST_PORT",
    "PILOTHOUSE_QUERY_PORT",
    "PILOTHOUSE_MODEL_SERVER_PORT",
    "PILOTHOUSE_INGEST_URL",
    "PILOTHOUSE_QUERY_URL",
    "PILOTHOUSE_TOKEN",
    "PILOTHOUSE_TEST_DATABASE_URL",
    "PILOTHOUSE_CHROMIUM",
}
# A 4XX without a code of its own gets one from its status; a refusal of the query service without one, this.
NOT_LITERAL = {"not_found", "method_not_allowed", "bad_request", "query_error"}
# They name a failure for metrics and logs; people see `model_unavailable`.
METRICS_ONLY = {"model_unreachable", "model_lost", "model_garbled", "model_not_understood"}
# Classes whose first argument is a code, and functions that answer `(code, explanation)`.
CODED = {"ParseError", "AnswerFailed", "ModelUnavailable", "ModelInterrupted", "ContextTooLong", "error"}
EXPLAINING = {"in_words", "died_in_words"}
CODE = re.compile(r"(?!code$)[a-z]+(?:_[a-z]+)*")


def first_cells(page: str) -> list[str]:
    """What stands in backquotes in the first cell of each table row."""
    return re.findall(r"^\| `([^`]+)` \|", (REFERENCE / page).read_text(encoding="utf-8"), re.MULTILINE)


def variables(settings: type[BaseSettings]) -> Iterator[str]:
    """The environment variables of a settings class."""
    for group, field in settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            yield from (f"PILOTHOUSE_{group}_{name}".upper() for name in type(default).model_fields)
        else:
            yield f"PILOTHOUSE_{group}".upper()


def codes(tree: ast.AST) -> Iterator[str]:
    """Error codes that a module writes down."""
    for node in ast.walk(tree):
        values: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", "")
            values += [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            values += node.args[:1] if name in CODED else []
        elif isinstance(node, ast.Dict):
            values += [
                value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant) and key.value == "code" and not isinstance(value, ast.Dict)
            ]
        elif isinstance(node, ast.FunctionDef) and node.name in EXPLAINING:
            returns = [item.value for item in ast.walk(node) if isinstance(item, ast.Return)]
            values += [item.elts[0] for item in returns if isinstance(item, ast.Tuple)]
        for value in values:
            for constant in ast.walk(value):
                text = constant.value if isinstance(constant, ast.Constant) else None
                if isinstance(text, str) and CODE.fullmatch(text):
                    yield text


def test_every_variable_has_exactly_one_row() -> None:
    documented = first_cells("settings.md")
    expected = set(OTHER_VARIABLES)
    for settings in (IngestSettings, BulkProcessSettings, QuerySettings, ChatSettings, ModelServerSettings):
        expected |= set(variables(settings))
    assert sorted(documented) == sorted(expected)


def test_every_error_code_is_documented_and_no_other() -> None:
    written = {
        code
        for source in SOURCES
        for path in source.rglob("*.py")
        for code in codes(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert set(first_cells("errors.md")) == (written | NOT_LITERAL) - METRICS_ONLY


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("docs/**/*.md")) + sorted(ROOT.glob("*.md")), ids=lambda page: page.name
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
