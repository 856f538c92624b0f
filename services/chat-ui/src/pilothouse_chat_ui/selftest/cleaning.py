"""Leaves nothing behind."""

from pydantic import BaseModel

from pilothouse_chat_ui.selftest.failure import CHAT_UI, INGEST
from pilothouse_chat_ui.selftest.page import Page, understood
from pilothouse_chat_ui.selftest.report import Step
from pilothouse_chat_ui.selftest.story import Story
from pilothouse_chat_ui.sessions.schemas import SessionOut


class _Sessions(BaseModel):
    items: list[SessionOut]


async def delete_chats(page: Page, story: Story, step: Step) -> None:
    """Those of this run, found by their title: one may exist whose id never arrived."""
    response = await page.call("GET", "/api/sessions", CHAT_UI, params={"q": story.name})
    mine = [item for item in understood(_Sessions, response, CHAT_UI).items if item.title == story.name]
    for session in mine:
        await page.call("DELETE", f"/api/sessions/{session.id}", CHAT_UI, expect=(204, 404))
    step.seen = f"{len(mine)} deleted"


async def delete_collection(page: Page, story: Story, step: Step) -> None:
    """With its document; 404 when it was never made."""
    step.seen = f"left behind: the collection {story.name}"
    await page.call("DELETE", f"/api/collections/{story.name}", INGEST, expect=(204, 404))
    step.seen = story.name
