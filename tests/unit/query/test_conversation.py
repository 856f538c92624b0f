"""OpenAI's messages become a question."""

import pytest

from pilothouse_query.chat.conversation import read_question
from pilothouse_query.chat.schemas import ChatRequest
from pilothouse_query.openai_errors import OpenAIError


def request(*messages: tuple[str, object], model: str = "pilothouse", **options: object) -> ChatRequest:
    return ChatRequest.model_validate(
        {"model": model, "messages": [{"role": role, "content": text} for role, text in messages], **options}
    )


def test_the_last_user_message_is_the_question_and_the_rest_history() -> None:
    question = read_question(
        request(
            ("system", "Speak like a pirate."), ("user", "First?"), ("assistant", "Yes."), ("user", " Next? ")
        )
    )
    assert question.text == "Next?"
    assert [(turn.role, turn.text) for turn in question.history] == [
        ("user", "First?"),
        ("assistant", "Yes."),
    ]
    assert question.instructions == "Speak like a pirate."
    assert question.collections is None


def test_a_trailing_answer_is_continued() -> None:
    question = read_question(request(("user", "Tell me all."), ("assistant", "It begins")))
    assert (question.text, question.continued) == ("Tell me all.", "It begins")
    assert question.history == ()


def test_content_parts_are_joined_and_pictures_ignored() -> None:
    parts = [{"type": "text", "text": "What is"}, {"type": "image_url"}, {"type": "text", "text": "this?"}]
    assert read_question(request(("user", parts))).text == "What is\nthis?"


def test_the_model_names_the_collection() -> None:
    assert read_question(request(("user", "Hi?"), model="pilothouse/legal")).collections == ("legal",)


@pytest.mark.parametrize("model", ["gpt-4", "pilothouse/", "other/legal"])
def test_an_unknown_model_is_said_to_be_unknown(model: str) -> None:
    with pytest.raises(OpenAIError) as caught:
        read_question(request(("user", "Hi?"), model=model))
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")


@pytest.mark.parametrize("text", ["", "   ", None])
def test_an_empty_question_is_refused(text: str | None) -> None:
    with pytest.raises(OpenAIError) as caught:
        read_question(request(("user", text)))
    assert (caught.value.status, caught.value.code) == (400, "empty_question")


def test_wishes_are_carried() -> None:
    wishes = read_question(
        request(("user", "Hi?"), max_tokens=9, max_completion_tokens=7, stop="END", seed=3)
    ).wishes
    assert (wishes.max_tokens, wishes.stop, wishes.seed) == (7, ("END",), 3)
