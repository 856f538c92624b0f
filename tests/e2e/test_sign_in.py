"""What a person sees of how people are told apart, or are not."""

import re

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


def knows_the_server(page: Page, settings: str = "Settings") -> None:
    """Waits for what is always drawn of the server's first answer, its version; it stands in the settings."""
    page.get_by_role("button", name=settings, exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text(re.compile(r"\d+\.\d+\.\d+"))


def test_in_local_mode_nothing_is_said(page: Page) -> None:
    knows_the_server(page)
    expect(page.get_by_test_id("shared-note")).to_have_count(0)


@pytest.mark.parametrize(
    ("locale", "words", "settings"),
    [
        ("en-GB", "the same person here", "Settings"),
        ("zh-CN", "同一个人", "设置"),
        ("vi-VN", "cùng một người", "Cài đặt"),
    ],
)
def test_where_nobody_signs_in_the_page_says_so_until_it_is_put_away(
    browser: Browser, stack: Stack, locale: str, words: str, settings: str
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
        knows_the_server(page, settings)
        expect(note).to_have_count(0)


def test_the_person_whom_the_proxy_names_gets_the_page(browser: Browser, stack: Stack) -> None:
    with (
        second_replica(stack, **PROXIED) as url,
        watched_page(browser, url, extra_http_headers={"x-forwarded-user": "mai"}) as page,
    ):
        page.goto("/")
        knows_the_server(page)
        expect(page.get_by_test_id("status-bar")).to_have_count(0)
        expect(page.get_by_test_id("shared-note")).to_have_count(0)


def test_past_the_proxy_a_sentence_says_what_to_do(browser: Browser, stack: Stack) -> None:
    with second_replica(stack, **PROXIED) as url, watched_page(browser, url) as page:
        page.goto("/")
        expect(page.get_by_test_id("status-bar")).to_contain_text("does not know who you are")
