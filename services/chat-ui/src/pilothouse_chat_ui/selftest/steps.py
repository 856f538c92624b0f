"""What a person does on a first day, step by step."""

import asyncio
from typing import Literal

from pydantic import BaseModel

from pilothouse_chat_ui.config.routes import Config
from pilothouse_chat_ui.messages.schemas import Citation, MessageOut
from pilothouse_chat_ui.selftest.answer import Listener
from pilothouse_chat_ui.selftest.failure import (
    CHAT_UI,
    EMBEDDINGS,
    INFERENCE,
    INGEST,
    KEYS,
    QUERY,
    WORKER,
    Failure,
    reported,
)
from pilothouse_chat_ui.selftest.page import PAUSE_SECONDS, Page, understood
from pilothouse_chat_ui.selftest.report import Step
from pilothouse_chat_ui.selftest.story import FOREIGN_QUESTION, QUESTION, Story
from pilothouse_chat_ui.sessions.schemas import SessionOut


class _Fault(BaseModel):
    code: str
    detail: str


class _Collection(BaseModel):
    name: str


class _Document(BaseModel):
    id: str
    status: Literal["queued", "parsing", "embedding", "indexed", "failed"]
    error: _Fault | None


async def wait_until_ready(page: Page, story: Story, step: Step) -> None:
    """The page, ingest behind it, query, and the model behind that."""
    while True:
        try:
            await page.once("/readyz", CHAT_UI)
            config = understood(Config, await page.once("/api/config", CHAT_UI), CHAT_UI)
            await page.once("/api/collections", INGEST)
            if config.model.available:
                break
            raise Failure("the page says that no model answers", INFERENCE)
        except Failure as exc:
            # A new installation is not ready for a while; a wrong key does not become right.
            if exc.look == KEYS:
                raise
            step.seen, step.look = exc.seen, exc.look
        await asyncio.sleep(PAUSE_SECONDS)
    if config.auth_mode != "local" and config.principal.subject != story.name:
        raise Failure(f"the page takes this test for “{config.principal.subject}”", KEYS)
    step.seen = f"version {config.version}, model {config.model.name or 'without a name'}"


async def make_collection(page: Page, story: Story, step: Step) -> None:
    """A collection that nobody else sees."""
    only = [f"user:{story.name}"]
    body = {"description": "Of a self-test; may be deleted.", "access": {"readers": only, "writers": only}}
    path = f"/api/collections/{story.name}"
    response = await page.call("PUT", path, INGEST, expect=(200, 201), json=body)
    step.seen = understood(_Collection, response, INGEST).name


async def upload(page: Page, story: Story, step: Step) -> str:
    """The document's id."""
    path = f"/api/collections/{story.name}/documents"
    files = {"file": (f"{story.name}.txt", story.document)}
    response = await page.call("POST", path, INGEST, expect=(200, 202), files=files)
    step.seen = f"{len(story.document)} bytes"
    return understood(_Document, response, INGEST).id


async def wait_until_indexed(page: Page, document_id: str, step: Step) -> None:
    """The document can be found."""
    while True:
        response = await page.call("GET", f"/api/documents/{document_id}", INGEST)
        document = understood(_Document, response, INGEST)
        if document.status == "failed":
            fault = document.error or _Fault(code="failed", detail="The document failed without a reason")
            raise reported(fault.code, fault.detail, WORKER)
        step.seen = f"the document is {document.status}"
        if document.status == "indexed":
            return
        await asyncio.sleep(PAUSE_SECONDS)


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
