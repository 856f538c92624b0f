"""From a page that may still be starting to a document that can be found."""

import asyncio
from typing import Literal

from pydantic import BaseModel

from pilothouse_chat_ui.config.routes import Config
from pilothouse_chat_ui.selftest.failure import CHAT_UI, INFERENCE, INGEST, KEYS, WORKER, Failure, reported
from pilothouse_chat_ui.selftest.page import PAUSE_SECONDS, Page, understood
from pilothouse_chat_ui.selftest.report import Step
from pilothouse_chat_ui.selftest.story import Story


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
            fault = document.error or _Fault(
                code="internal_error", detail="The document failed without a reason"
            )
            raise reported(fault.code, fault.detail, WORKER)
        step.seen = f"the document is {document.status}"
        if document.status == "indexed":
            return
        await asyncio.sleep(PAUSE_SECONDS)
