"""Every endpoint keeps to its OpenAPI document, whatever it is sent."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.openapi import from_url
from schemathesis.schemas import BaseSchema

from support.stack import Stack

# Streams without an end, and calls that make the small model write for seconds.
ENDLESS = r"/events$|/messages$|/chat/completions$"
# A document may promise less than the service accepts; what matters is that no input
# breaks it and that every answer is one that the document names.
CHECKS = [
    schemathesis.checks.not_a_server_error,
    schemathesis.checks.response_schema_conformance,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.status_code_conformance,
]


def load(stack: Stack, part: str) -> BaseSchema:
    return from_url(f"{stack.url(part)}/openapi.json").exclude(path_regex=ENDLESS)


@pytest.fixture
def ingest_api(stack: Stack) -> BaseSchema:
    return load(stack, "ingest")


@pytest.fixture
def query_api(stack: Stack) -> BaseSchema:
    return load(stack, "query")


@pytest.fixture
def chat_ui_api(stack: Stack) -> BaseSchema:
    return load(stack, "chat_ui")


@pytest.fixture
def model_server_api(stack: Stack) -> BaseSchema:
    return load(stack, "model_server")


few = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.function_scoped_fixture,
    ],
)


@schemathesis.pytest.from_fixture("ingest_api").parametrize()
@few
def test_ingest(case: "Case[Any]") -> None:
    case.call_and_validate(checks=CHECKS)


@schemathesis.pytest.from_fixture("query_api").parametrize()
@few
def test_query(case: "Case[Any]") -> None:
    case.call_and_validate(checks=CHECKS)


@schemathesis.pytest.from_fixture("chat_ui_api").parametrize()
@few
def test_chat_ui(case: "Case[Any]") -> None:
    case.call_and_validate(checks=CHECKS)


@schemathesis.pytest.from_fixture("model_server_api").parametrize()
@few
def test_model_server(case: "Case[Any]") -> None:
    case.call_and_validate(checks=CHECKS)
