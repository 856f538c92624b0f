"""What a person sees of how people are told apart, or are not."""

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import assert_accessible, watched_page
from support.stack import Stack, second_replica

KEY = "k" * 32
PROXIED = {
    "PILOTHOUSE_AUTH_MODE": "proxy",
    "PILOTHOUSE_AUTH_KEY": KEY,
    "PILOTHOUSE_AUTH_PROXY_NETWORKS": "127.0.0.0/8",
}


def test_in_local_mode_nothing_is_said(page: Page) -> None:
    expect(page.get_by_role("textbox").first).to_be_visible()
    expect(page.get_by_test_id("shared-note")).to_have_count(0)


@pytest.mark.parametrize(
    ("locale", "words"),
    [("en-GB", "the same person here"), ("zh-CN", "同一个人"), ("vi-VN", "cùng một người")],
)
def test_where_nobody_signs_in_the_page_says_so_until_it_is_put_away(
    browser: Browser, stack: Stack, locale: str, words: str
) -> None:
    environment = {"PILOTHOUSE_AUTH_MODE": "none", "PILOTHOUSE_AUTH_KEY": KEY}
    with (
        second_replica(stack, **environment) as url,
        watched_page(browser, url, locale=locale) as page,
    ):
        page.goto("/")
        note = page.get_by_test_id("shared-note")
        expect(note).to_contain_text(words)
        assert_accessible(page)
        note.get_by_role("button").click()
        expect(note).to_have_count(0)
        page.reload()
        expect(page.get_by_role("textbox").first).to_be_visible()
        expect(note).to_have_count(0)


def test_the_person_whom_the_proxy_names_gets_the_page(browser: Browser, stack: Stack) -> None:
    with (
        second_replica(stack, **PROXIED) as url,
        watched_page(browser, url, extra_http_headers={"x-forwarded-user": "mai"}) as page,
    ):
        page.goto("/")
        expect(page.get_by_role("textbox").first).to_be_visible()
        expect(page.get_by_test_id("status-bar")).to_have_count(0)
        expect(page.get_by_test_id("shared-note")).to_have_count(0)


def test_past_the_proxy_a_sentence_says_what_to_do(browser: Browser, stack: Stack) -> None:
    with second_replica(stack, **PROXIED) as url, watched_page(browser, url) as page:
        page.goto("/")
        expect(page.get_by_test_id("status-bar")).to_contain_text("does not know who you are")
