"""The whole story of a first day: an empty product, a PDF, a cited answer, a restart."""

import re
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import assert_accessible, watched_page
from support.stack import Stack, running_stack
from support.talk import PATIENCE, ask, ended, open_source, squeeze

PDF = Path(__file__).parents[2] / "samples" / "how-ingestion-works.pdf"
QUESTION = "What happens to a document if the machine loses power during ingestion?"
pytestmark = pytest.mark.timeout(600)


def test_from_an_empty_page_to_a_cited_answer_that_outlives_a_restart(
    browser: Browser, tmp_path: Path
) -> None:
    with running_stack(tmp_path / "home") as stack:
        with watched_page(browser, stack.url("chat_ui")) as page:
            page.goto("/")
            expect(page.get_by_role("heading", name="Add your documents")).to_be_visible()
            assert_accessible(page)

            with page.expect_file_chooser() as chooser:
                page.get_by_role("button", name="Choose files").click()
            chooser.value.set_files(str(PDF))
            chip = page.get_by_test_id("upload-chip")
            expect(chip).to_contain_text(PDF.name)
            expect(chip).to_have_attribute("data-status", "indexed", timeout=PATIENCE)

            answer = ended(ask(page, QUESTION))
            expect(answer).to_contain_text("not lost")
            expect(answer.get_by_test_id("model")).to_contain_text("SmolLM2")
            panel, marked = open_source(answer)
            expect(panel).to_contain_text("page 2")
            assert "not lost" in marked
            assert_is_the_stored_text(stack, marked)
            assert_accessible(page)
            page.keyboard.press("Escape")
            expect(panel).to_be_hidden()

            follow_up = ended(ask(page, "And what if it fails again?"))
            assert squeeze(follow_up.inner_text())

            rename(page, "Power loss")
            session = page.url
            page.reload()
            expect(page.get_by_test_id("answer")).to_have_count(2)

        stack.command("down")
        stack.command("up", "--no-samples")

        with watched_page(browser, stack.url("chat_ui")) as page:
            page.goto("/")
            page.get_by_role("navigation", name="Chats").get_by_role("link", name="Power loss").click()
            expect(page).to_have_url(session)
            expect(page.get_by_test_id("answer").first).to_contain_text("not lost")
            _, marked = open_source(page.get_by_test_id("answer").first)
            assert "not lost" in marked
            delete(page, "Power loss")
            assert_deleted(stack, session)


def rename(page: Page, title: str) -> None:
    page.get_by_role("button", name="Actions for").first.click()
    page.get_by_role("menuitem", name="Rename").click()
    field = page.get_by_role("textbox", name="New name of the chat")
    # The menu that closes gives the focus back first; leaving the field then would end the renaming.
    expect(field).to_be_focused()
    field.fill(title)
    # It is shown before it is stored, and a reload would break the call off.
    with page.expect_response(lambda response: response.request.method == "PATCH"):
        field.press("Enter")
    expect(page.get_by_role("link", name=title)).to_be_visible()


def delete(page: Page, title: str) -> None:
    page.get_by_role("button", name=f"Actions for {title}").click()
    # The call is made when the time to undo is over.
    with page.expect_response(lambda response: response.request.method == "DELETE", timeout=PATIENCE):
        page.get_by_role("menuitem", name="Delete").click()
        expect(page.get_by_role("link", name=title)).to_have_count(0)


def assert_deleted(stack: Stack, session_url: str) -> None:
    found = re.search(r"[0-9a-f-]{36}", session_url)
    assert found
    assert httpx2.get(f"{stack.url('chat_ui')}/api/sessions/{found[0]}").status_code == 404


def assert_is_the_stored_text(stack: Stack, words: str) -> None:
    document = httpx2.get(f"{stack.url('ingest')}/v1/collections/default/documents").json()["items"][0]
    text = httpx2.get(f"{stack.url('ingest')}/v1/documents/{document['id']}/text").text
    assert words in squeeze(text)
