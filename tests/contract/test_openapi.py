"""Every endpoint keeps to its OpenAPI document, whatever it is sent."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.core.result import Ok
from schemathesis.openapi import from_url

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


few = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.parametrize("part", ["ingest", "query", "chat_ui", "model_server"])
def test_every_endpoint_keeps_to_its_document(stack: Stack, part: str) -> None:
    schema = from_url(f"{stack.url(part)}/openapi.json").exclude(path_regex=ENDLESS)
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result.err()
        operation = result.ok()

        @few
        @given(case=operation.as_strategy())
        def hold(case: "Case[Any]") -> None:
            case.call_and_validate(checks=CHECKS)

        hold()
