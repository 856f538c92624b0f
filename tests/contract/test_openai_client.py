"""The `openai` package from PyPI works with Pilothouse as with any other server."""

from collections.abc import Iterator

import openai
import pytest

from support.stack import Stack

QUESTION = "Which port does the chat page listen on?"


@pytest.fixture
def client(stack: Stack) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{stack.url('query')}/v1", api_key="unused", max_retries=0) as client:
        yield client


def test_models_are_the_whole_and_each_collection(client: openai.OpenAI) -> None:
    assert {"pilothouse", "pilothouse/handbook"} <= {model.id for model in client.models.list()}


def test_a_whole_answer_carries_its_citations(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="pilothouse/handbook", messages=[{"role": "user", "content": QUESTION}]
    )
    extra = answer.model_extra or {}
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert "8080" in extra["citations"][0]["quote"]
    assert extra["grounding"]["status"] == "answered"
    assert answer.usage is not None


def test_a_streamed_answer_begins_with_sources_and_ends_with_citations(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="pilothouse", messages=[{"role": "user", "content": QUESTION}], stream=True
    )
    chunks = list(stream)
    first, last = chunks[0].model_extra or {}, chunks[-1].model_extra or {}
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert "8080" in first["sources"][0]["text"]
    assert "[1]" in text
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert last["citations"][0]["n"] == 1


def test_an_unknown_model_is_openais_own_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as error:
        client.chat.completions.create(model="gpt-none", messages=[{"role": "user", "content": QUESTION}])
    assert error.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("content", "code"),
    [("", "empty_question"), (" \n", "empty_question"), (QUESTION * 3_000, "context_length_exceeded")],
)
def test_a_question_that_cannot_be_asked_says_why(client: openai.OpenAI, content: str, code: str) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        client.chat.completions.create(model="pilothouse", messages=[{"role": "user", "content": content}])
    assert error.value.code == code
