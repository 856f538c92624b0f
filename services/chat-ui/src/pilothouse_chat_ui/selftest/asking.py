"""Asks, and looks closely at what comes back."""

from pilothouse_chat_ui.messages.schemas import Citation, MessageOut
from pilothouse_chat_ui.selftest.answer import Listener
from pilothouse_chat_ui.selftest.failure import (
    CHAT_UI,
    EMBEDDINGS,
    INFERENCE,
    INGEST,
    QUERY,
    WORKER,
    Failure,
)
from pilothouse_chat_ui.selftest.page import Page, understood
from pilothouse_chat_ui.selftest.report import Step
from pilothouse_chat_ui.selftest.story import FOREIGN_QUESTION, QUESTION, Story
from pilothouse_chat_ui.sessions.schemas import SessionOut


async def ask(page: Page, story: Story, question: str, step: Step) -> MessageOut:
    """The answer in a new chat, made from the collection."""
    body = {"title": story.name, "collection": story.name}
    response = await page.call("POST", "/api/sessions", CHAT_UI, expect=(201,), json=body)
    session = understood(SessionOut, response, CHAT_UI)
    answer = await Listener(page, step).ask(str(session.id), question)
    if answer.grounding is None:
        raise Failure("the answer came without its grounding", QUERY)
    return answer


async def ask_for_the_fact(page: Page, story: Story, step: Step) -> MessageOut:
    """An answer of the model's, from the document."""
    answer = await ask(page, story, QUESTION, step)
    assert answer.grounding is not None
    status = answer.grounding.status
    if status != "answered":
        look = INFERENCE if status == "model_unavailable" else EMBEDDINGS
        raise Failure(f"a question that the document answers was given “{status}”", look)
    step.seen = f"{len(answer.content)} characters by {answer.grounding.model}"
    return answer


async def check_citation(page: Page, story: Story, document_id: str, answer: MessageOut, step: Step) -> None:
    """Some citation quotes the fact, and every one stands in the document where it says."""
    response = await page.call("GET", f"/api/documents/{document_id}/text", INGEST)
    try:
        text = response.content.decode()
    except UnicodeDecodeError as exc:
        raise Failure("the document's text is not UTF-8", INGEST) from exc
    if story.key not in text:
        raise Failure("the document's text is not what was uploaded", WORKER)
    for citation in answer.citations:
        _check_place(citation, story, document_id, text)
    found = [citation for citation in answer.citations if story.key in citation.quote]
    if not found:
        raise Failure(f"none of the answer's {len(answer.citations)} citations quotes the fact", QUERY)
    step.seen = f"characters {found[0].start} to {found[0].end} of the document"


def _check_place(citation: Citation, story: Story, document_id: str, text: str) -> None:
    if (citation.collection, citation.document_id) != (story.name, document_id):
        raise Failure(f"citation {citation.n} is of another document than the only one there is", QUERY)
    inside = 0 <= citation.start < citation.end <= len(text)
    if not inside or text[citation.start : citation.end] != citation.quote:
        raise Failure(
            f"the quote of citation {citation.n} does not stand at {citation.start} to {citation.end} of the "
            "document's text",
            QUERY,
        )


async def ask_for_something_else(page: Page, story: Story, step: Step) -> None:
    """The answer says that the document does not hold it.

    With the packaged embedding model a foreign question is far below what counts as relevant. Other
    models put their numbers elsewhere, and then it is the language model that has to say so, in words
    that cannot be checked here. So that is told and is no failure.
    """
    answer = await ask(page, story, FOREIGN_QUESTION, step)
    assert answer.grounding is not None
    if answer.grounding.status == "nothing_relevant":
        step.seen = "it says that the document does not hold it"
    elif answer.grounding.status == "answered":
        step.seen = (
            "it was left to the model to say that the document does not hold it; see "
            "PILOTHOUSE_CHAT_MIN_RELEVANCE"
        )
    else:
        raise Failure(f"a question about something else was given “{answer.grounding.status}”", QUERY)
