"""The page itself: documents, keyboard, languages, themes, widths; and what it must never let in."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from support.browser import assert_accessible, watched_page
from support.stack import Stack
from support.talk import PATIENCE, ask, drawn, ended, open_source, upload

QUESTION = "What does a backup contain?"


def test_a_file_that_cannot_be_read_says_why_and_can_be_retried(page: Page, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\n" + b"nothing that a PDF needs")
    upload(page, broken)
    chip = page.get_by_test_id("upload-chip").filter(has_text="broken.pdf")
    expect(chip).to_have_attribute("data-status", "failed", timeout=PATIENCE)
    expect(chip.get_by_role("button", name="Retry")).to_be_visible()
    assert_accessible(page)


def test_an_empty_file_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()
    upload(page, empty)
    chip = page.get_by_test_id("upload-chip").filter(has_text="empty.txt")
    expect(chip).to_contain_text("The file is empty.", timeout=PATIENCE)


@pytest.mark.parametrize("early", [False, True], ids=["limits-known", "before-the-limits-are-known"])
def test_a_question_that_is_too_long_stays_in_the_box_and_makes_no_chat(page: Page, early: bool) -> None:
    chats = page.request.get("/api/sessions").json()["items"]
    question = "why is the sky blue " * 1100
    # Leaves nothing of the page before on its way, whose answer would be taken for this one's.
    page.goto("about:blank")
    held: list[Route] = []
    if early:
        page.route("**/api/config", lambda route: held.append(route), times=1)
    with page.expect_event("request" if early else "requestfinished", is_for_the_limits):
        page.goto("/", wait_until="commit")
    box = page.get_by_role("textbox", name="Your question")
    box.fill(question)
    box.press("Enter")
    if early:
        held.pop().continue_()
    expect(page.get_by_text("The question has 21,999 characters, and 20,000 are possible.")).to_be_visible()
    expect(box).to_have_value(question)
    assert page.request.get("/api/sessions").json()["items"] == chats


def is_for_the_limits(request: Request) -> bool:
    return request.url.endswith("/api/config")


@pytest.mark.parametrize("name", ["nonsense", "00000000-0000-7000-8000-000000000000"])
def test_an_address_of_no_chat_says_so(page: Page, name: str) -> None:
    page.goto(f"/s/{name}")
    expect(page.get_by_text("This chat does not exist any more.")).to_be_visible()


def test_documents_are_listed_found_and_opened(page: Page) -> None:
    page.goto("/documents/samples")
    table = page.get_by_test_id("documents")
    expect(table.get_by_role("row")).to_have_count(15)
    page.get_by_role("searchbox", name="Find a document").fill("glossary")
    expect(table.get_by_role("row")).to_have_count(2)
    assert_accessible(page)


def test_an_uploaded_page_cannot_run_in_our_origin(page: Page, stack: Stack, tmp_path: Path) -> None:
    evil = tmp_path / "evil.html"
    evil.write_text("<h1>Evil</h1><p>Some words to index.</p><script>document.title = 'pwned'</script>")
    upload(page, evil)
    chip = page.get_by_test_id("upload-chip").filter(has_text="evil.html")
    expect(chip).to_have_attribute("data-status", "indexed", timeout=PATIENCE)
    listed = page.request.get("/api/collections/default/documents").json()["items"]
    document = next(item for item in listed if item["title"] == "Evil")
    response = page.goto(f"/api/documents/{document['id']}/content")
    assert response is not None
    assert "sandbox" in response.headers["content-security-policy"]
    assert page.title() != "pwned"


def test_markdown_of_a_model_cannot_bring_in_scripts_or_images(page: Page) -> None:
    evil = "<img src=x onerror=alert(1)> ![x](https://evil.example/x.png) [go](javascript:alert(1)) backup"
    answer = drawn(ended(ask(page, f"{QUESTION} say:{evil}")))
    assert answer.locator("img").count() == 0
    assert answer.locator("a[href^=javascript]").count() == 0


def test_everything_is_done_with_the_keyboard_alone(page: Page) -> None:
    box = page.get_by_role("textbox", name="Your question")
    # The page goes there by itself, in the same step in which it begins to listen to the keyboard.
    expect(box).to_be_focused()
    box.blur()
    page.keyboard.press("/")
    expect(box).to_be_focused()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    answer = ended(page.get_by_test_id("answer").last)
    answer.get_by_role("button", name="Source").first.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_test_id("source-panel")
    expect(panel).to_be_visible()
    page.keyboard.press("]")
    expect(panel.get_by_role("tab", selected=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.keyboard.press("Control+k")
    palette = page.get_by_role("combobox", name="Search chats and actions")
    expect(palette).to_be_focused()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    page.keyboard.press("Control+Shift+O")
    expect(box).to_be_focused()


@pytest.mark.parametrize(
    ("locale", "placeholder"),
    [("en-GB", "Ask your documents…"), ("zh-CN", "向您的文档提问…"), ("vi-VN", "Hỏi tài liệu của bạn…")],
)
def test_the_page_speaks_the_persons_language(
    browser: Browser, stack: Stack, locale: str, placeholder: str
) -> None:
    with watched_page(browser, stack.url("chat_ui"), locale=locale) as page:
        page.goto("/")
        expect(page.get_by_role("textbox").first).to_have_attribute("placeholder", placeholder)
        expect(page.locator("html")).to_have_attribute("lang", re.compile(locale[:2]))
        assert_accessible(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_an_answer_with_its_source_at_every_width(
    browser: Browser, stack: Stack, scheme: str, width: int
) -> None:
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    with watched_page(browser, stack.url("chat_ui"), **options) as page:
        page.goto("/")
        answer = ended(ask(page, QUESTION))
        assert_accessible(page)
        _, marked = open_source(answer)
        assert marked
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_draft_outlives_a_reload(page: Page) -> None:
    box = page.get_by_role("textbox", name="Your question")
    box.fill("half a thought")
    page.reload()
    expect(page.get_by_role("textbox", name="Your question")).to_have_value("half a thought")
