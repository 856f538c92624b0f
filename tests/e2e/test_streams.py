"""Answers while they are written: stopped, reloaded, followed elsewhere, broken off."""

import re

import httpx2
from playwright.sync_api import Browser, Page, expect

from support.browser import watched_page
from support.stack import Stack, second_replica
from support.talk import PATIENCE, ask, drawn, ended, squeeze

SLOW = "What happens to a document if the machine loses power? scenario:slow"


def phase(page: Page, name: str) -> None:
    expect(page.get_by_test_id("phase")).to_have_attribute("data-phase", name, timeout=PATIENCE)


def stored(stack: Stack, page: Page) -> list[dict[str, str]]:
    """The messages of the open session, as the service keeps them."""
    session = page.url.rsplit("/", 1)[1]
    items = httpx2.get(f"{stack.url('chat_ui')}/api/sessions/{session}/messages").json()["items"]
    assert isinstance(items, list)
    return items


def stored_answer(stack: Stack, page: Page) -> str:
    """The last one, which is an answer, without its markers."""
    return stored(stack, page)[-1]["content"]


def letters(text: str) -> str:
    return "".join(character for character in text if character.isalpha())


def test_a_stopped_answer_stays_and_goes_on(page: Page, stack: Stack) -> None:
    answer = ask(page, SLOW)
    phase(page, "writing")
    page.get_by_role("button", name="Stop", exact=True).click()
    ended(answer, "stopped")
    expect(answer).to_contain_text("Stopped")
    begun = stored_answer(stack, page)
    answer.get_by_role("button", name="Go on").click()
    ended(page.get_by_test_id("answer").last)
    whole = stored_answer(stack, page)
    # The last word may have been cut in half, so it is written again.
    assert whole.startswith(begun.rpartition(" ")[0])
    assert len(whole) > len(begun)


def test_escape_stops_too(page: Page) -> None:
    answer = ask(page, "power scenario:never-ends")
    phase(page, "writing")
    page.keyboard.press("Escape")
    ended(answer, "stopped")


def test_a_reload_in_the_middle_goes_on_without_repeating_anything(page: Page, stack: Stack) -> None:
    ask(page, SLOW)
    phase(page, "writing")
    page.reload()
    answer = ended(page.get_by_test_id("answer").last)
    shown = letters(answer.locator("p").first.inner_text())
    assert shown
    assert letters(stored_answer(stack, page)).startswith(shown)


def test_another_tab_follows_the_same_answer(page: Page, browser: Browser, stack: Stack) -> None:
    ask(page, SLOW)
    phase(page, "writing")
    with watched_page(browser, stack.url("chat_ui")) as other:
        other.goto(page.url)
        there = drawn(ended(other.get_by_test_id("answer").last)).inner_text()
    here = drawn(ended(page.get_by_test_id("answer").last)).inner_text()
    assert squeeze(there) == squeeze(here)


def test_a_second_replica_serves_and_stops_the_same_answer(
    page: Page, browser: Browser, stack: Stack
) -> None:
    answer = ask(page, "power scenario:never-ends")
    phase(page, "writing")
    with second_replica(stack) as url, watched_page(browser, url) as other:
        other.goto(f"{url}/s/{page.url.rsplit('/', 1)[1]}")
        phase(other, "writing")
        expect(other.get_by_test_id("answer").last).to_contain_text("And so")
        other.get_by_role("button", name="Stop", exact=True).click()
        ended(other.get_by_test_id("answer").last, "stopped")
    ended(answer, "stopped")


def test_without_a_model_the_best_passages_are_quoted_and_said_to_be(page: Page) -> None:
    answer = ended(ask(page, "What does a backup contain? scenario:error-before"))
    expect(answer.get_by_test_id("note")).to_contain_text("The language model cannot be reached.")
    expect(answer.get_by_role("button", name="Source").first).to_be_visible()


def test_a_model_that_breaks_off_keeps_the_text_and_says_so(page: Page) -> None:
    answer = ended(ask(page, "What does a backup contain? scenario:error-middle"), "error")
    expect(answer).to_contain_text("This answer breaks")
    expect(answer.get_by_test_id("note")).to_contain_text("Ask again")


def test_nothing_relevant_is_said_and_names_what_was_searched(page: Page) -> None:
    answer = ended(ask(page, "Wie hoch ist der Kilimandscharo?"))
    expect(answer).to_contain_text("Nothing relevant was found.")
    expect(answer).to_contain_text(re.compile("Searched: .*Samples"))


def test_a_sentence_without_support_is_marked_and_a_wrong_number_is_gone(page: Page) -> None:
    answer = ended(ask(page, "What does a backup contain? scenario:bad-cites"))
    expect(answer.get_by_test_id("unsupported")).to_contain_text("Whales sing at dusk")
    expect(answer.get_by_test_id("support")).to_contain_text("1 of 2 sentences supported")
    expect(answer.get_by_role("button", name="Source 99")).to_have_count(0)


def test_an_edited_question_replaces_the_old_answer(page: Page, stack: Stack) -> None:
    ended(ask(page, "What does a backup contain?"))
    before = stored(stack, page)
    box = page.get_by_role("textbox", name="Your question")
    box.press("ArrowUp")
    editor = page.get_by_role("textbox", name="Edit the question")
    editor.fill("Which ports does Pilothouse use?")
    editor.press("Enter")
    expect(page.get_by_test_id("question")).to_have_count(1)
    expect(page.get_by_test_id("question")).to_contain_text("Which ports")
    ended(page.get_by_test_id("answer").last)
    question, answer = stored(stack, page)
    assert question["content"] == "Which ports does Pilothouse use?"
    assert answer["id"] != before[1]["id"]


def test_trying_again_answers_the_same_question_anew(page: Page, stack: Stack) -> None:
    answer = ended(ask(page, "What does a backup contain?"))
    before = stored(stack, page)
    # The old answer has ended as well: only once this is accepted is the last one the new one.
    with page.expect_response(lambda response: response.request.method == "POST"):
        answer.get_by_role("button", name="Try again").click()
    ended(page.get_by_test_id("answer").last)
    expect(page.get_by_test_id("question")).to_have_count(1)
    expect(page.get_by_test_id("answer")).to_have_count(1)
    question, anew = stored(stack, page)
    assert question["id"] == before[0]["id"]
    assert anew["id"] != before[1]["id"]
