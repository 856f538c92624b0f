"""Reads OpenAI's list of messages as a question with its history."""

from collections.abc import Sequence

from pilothouse_query.chat.models import Question, Wishes
from pilothouse_query.chat.prompt import Turn
from pilothouse_query.chat.questions import may_stand_alone, retrieval_query
from pilothouse_query.chat.schemas import ChatRequest, Message
from pilothouse_query.openai_errors import OpenAIError

MODEL = "pilothouse"


def read_question(request: ChatRequest) -> Question:
    """The last user message is the question; an assistant message after it is to be continued.

    Raises `OpenAIError` for an unknown model and an empty question.
    """
    spoken = [message for message in request.messages if message.role in {"user", "assistant"}]
    continued = ""
    if spoken and spoken[-1].role == "assistant":
        continued = spoken[-1].text.strip()
        spoken = spoken[:-1]
    if not spoken or spoken[-1].role != "user" or not spoken[-1].text.strip():
        raise OpenAIError(
            status=400,
            code="empty_question",
            message="The last user message is empty. Write a question in it.",
            param="messages",
        )
    asked = [message.text for message in spoken if message.role == "user"]
    text, retrieval = spoken[-1].text.strip(), retrieval_query(asked)
    return Question(
        text=text,
        retrieval=retrieval,
        history=tuple(Turn(message.role, message.text) for message in spoken[:-1]),
        collections=_collections(request.model),
        instructions=_instructions(request.messages),
        wishes=_wishes(request),
        continued=continued,
        alone=text != retrieval and may_stand_alone(text),
    )


def unknown_model(model: str) -> OpenAIError:
    """404: the model does not exist, or its collection may not be read."""
    return OpenAIError(
        status=404,
        code="model_not_found",
        message=f"There is no model {model!r}. GET /v1/models lists what you can ask.",
        param="model",
    )


def _collections(model: str) -> tuple[str, ...] | None:
    if model == MODEL:
        return None
    family, _, collection = model.partition("/")
    if family != MODEL or not collection:
        raise unknown_model(model)
    return (collection,)


def _instructions(messages: Sequence[Message]) -> str:
    """The caller's own system messages; they add to the service's, they do not replace it."""
    return "\n".join(
        message.text.strip() for message in messages if message.role in {"system", "developer"}
    ).strip()


def _wishes(request: ChatRequest) -> Wishes:
    stop = [request.stop] if isinstance(request.stop, str) else request.stop or []
    return Wishes(
        max_tokens=request.max_completion_tokens or request.max_tokens,
        temperature=request.temperature,
        top_p=request.top_p,
        seed=request.seed,
        stop=tuple(stop),
    )
