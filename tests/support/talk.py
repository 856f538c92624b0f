"""What a person does on the chat page, by role and name."""

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

# Longer than any answer of the small model on a busy machine of two cores.
PATIENCE = 90_000


def ask(page: Page, question: str) -> Locator:
    """Types a question and sends it; returns the answer that comes, which may still be running."""
    answers = page.get_by_test_id("answer")
    before = answers.count()
    box = page.get_by_role("textbox", name="Your question")
    box.fill(question)
    box.press("Enter")
    expect(answers).to_have_count(before + 1, timeout=PATIENCE)
    return answers.nth(before)


def ended(answer: Locator, status: str = "done") -> Locator:
    """Waits until an answer has ended this way."""
    expect(answer).to_have_attribute("data-status", status, timeout=PATIENCE)
    return answer


def drawn(answer: Locator) -> Locator:
    """Waits until its Markdown is drawn: until the code for that has come, it stands there as written."""
    expect(answer.locator("[data-writing]")).to_be_visible()
    return answer


def upload(page: Page, *files: Path) -> None:
    """Adds files with the composer's button."""
    page.get_by_role("button", name="Add documents").first.click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("menuitem", name="Files…").click()
    chooser.value.set_files([str(file) for file in files])


def open_source(answer: Locator) -> tuple[Locator, str]:
    """Clicks the answer's first citation; returns the panel and the marked words."""
    answer.get_by_role("button", name="Source").first.click()
    panel = answer.page.get_by_test_id("source-panel")
    mark = panel.get_by_test_id("quote-mark")
    expect(mark.first).to_be_visible()
    return panel, squeeze(" ".join(mark.all_inner_texts()))


def squeeze(text: str) -> str:
    """The text with each run of white space as one blank."""
    return " ".join(text.split())
