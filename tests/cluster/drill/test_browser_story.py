"""The story of a first day in a browser, through the page's Service: a PDF, a cited answer, a lost pod."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from cluster.conftest import NewNamespace
from cluster.drill.test_ha_pods import replaced
from support.browser import FLAGS, assert_accessible, chromium_path, watched_page
from support.charts.helm import ROOT
from support.cluster.release import Release
from support.talk import PATIENCE, ask, ended, open_source

pytestmark = pytest.mark.timeout(1800)

PDF = ROOT / "samples" / "how-ingestion-works.pdf"
QUESTION = "What happens to a document if the machine loses power during ingestion?"


@pytest.fixture(scope="module")
def release(new_namespace: NewNamespace) -> Release:
    release = Release(new_namespace("browser"))
    release.install()
    return release


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield browser
        browser.close()


def test_from_an_empty_page_to_a_cited_answer_that_outlives_every_pod(
    release: Release, browser: Browser
) -> None:
    # By its address, and so without TLS: what a browser gives to secure pages only is not there.
    release.serves("chat-ui")
    address = release.address("chat-ui")
    with watched_page(browser, address) as page:
        page.goto("/")
        expect(page.get_by_role("heading", name="Add your documents")).to_be_visible()
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose files").click()
        chooser.value.set_files(str(Path(PDF)))
        chip = page.get_by_test_id("upload-chip")
        expect(chip).to_contain_text(PDF.name)
        expect(chip).to_have_attribute("data-status", "indexed", timeout=PATIENCE)
        answer = ended(ask(page, QUESTION))
        expect(answer).to_contain_text("not lost")
        panel, marked = open_source(answer)
        expect(panel).to_contain_text("page 2")
        assert "not lost" in marked
        assert_accessible(page)
        session = page.url

    for component in ("chat-ui", "query", "ingest"):
        replaced(release, component, release.ready_pods(component)[0])

    with watched_page(browser, address) as page:
        page.goto(session)
        expect(page.get_by_test_id("answer").first).to_contain_text("not lost", timeout=PATIENCE)
        _, marked = open_source(page.get_by_test_id("answer").first)
        assert "not lost" in marked
