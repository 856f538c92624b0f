"""The whole test, in order."""

from pilothouse_chat_ui.selftest import asking, cleaning, preparing
from pilothouse_chat_ui.selftest.failure import CHAT_UI, INGEST, QUERY, WORKER
from pilothouse_chat_ui.selftest.page import Page, open_page
from pilothouse_chat_ui.selftest.report import StepFailed, step
from pilothouse_chat_ui.selftest.settings import Settings
from pilothouse_chat_ui.selftest.story import Story, new_story
from pilothouse_core.auth import Authenticator, Principal


async def run(settings: Settings) -> bool:
    """Whether everything went as it should; the report is printed as it comes about."""
    story = new_story()
    authenticator = Authenticator(settings.auth)
    seconds = settings.selftest.wait.total_seconds()
    try:
        async with open_page(str(settings.selftest.url), authenticator, Principal(story.name)) as page:
            async with step("wait for the page", CHAT_UI, seconds) as going:
                await preparing.wait_until_ready(page, story, going)
            try:
                await _use(page, story, seconds)
            finally:
                await _clean(page, story, seconds)
    except StepFailed:
        return False
    return True


async def _use(page: Page, story: Story, seconds: float) -> None:
    async with step("make a collection", INGEST, seconds) as going:
        await preparing.make_collection(page, story, going)
    async with step("upload", INGEST, seconds) as going:
        document_id = await preparing.upload(page, story, going)
    async with step("wait for the index", WORKER, seconds) as going:
        await preparing.wait_until_indexed(page, document_id, going)
    async with step("ask", QUERY, seconds) as going:
        answer = await asking.ask_for_the_fact(page, story, going)
    async with step("check the citation", QUERY, seconds) as going:
        await asking.check_citation(page, story, document_id, answer, going)
    async with step("ask something else", QUERY, seconds) as going:
        await asking.ask_for_something_else(page, story, going)


async def _clean(page: Page, story: Story, seconds: float) -> None:
    try:
        async with step("delete the chats", CHAT_UI, seconds) as going:
            await cleaning.delete_chats(page, story, going)
    finally:
        async with step("delete the documents", INGEST, seconds) as going:
            await cleaning.delete_collection(page, story, going)
