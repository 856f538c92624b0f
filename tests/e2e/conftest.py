"""A real browser against the whole product."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from support.browser import FLAGS, chromium_path, watched_page
from support.scripted_model import ScriptedModel, serve_scripted_model
from support.stack import Stack, running_stack

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The product with the sample documents in `samples` and a model that does what a question says."""
    with (
        serve_scripted_model(ScriptedModel(delay=0.1)) as model_url,
        running_stack(tmp_path_factory.mktemp("e2e") / "home", MODEL_URL=model_url) as stack,
    ):
        stack.command("ingest", str(ROOT / "samples"), "--collection", "samples")
        yield stack


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """A fresh person's browser tab on the page, held to the rules of the house."""
    with watched_page(browser, stack.url("chat_ui")) as page:
        page.goto("/")
        yield page
