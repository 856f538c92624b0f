"""Browser tabs that hold the page to the rules of the house.

The rules: no console error, no CSP violation, no request to another origin, no finding of axe.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
REPORT_VIOLATIONS = """
    window.cspViolations = [];
    document.addEventListener('securitypolicyviolation', (event) =>
        window.cspViolations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
# Each 4xx and 5xx answer, which the test has to judge; and, without TLS, a header that counts only with it.
SAID_BY_THE_BROWSER = ("Failed to load resource", "The Cross-Origin-Opener-Policy header has been ignored")
# Half-faded text has half its contrast; what pulses for ever is not waited for.
COME_TO_REST = """
    () => Promise.all(document.getAnimations()
        .filter((animation) => animation.effect.getComputedTiming().endTime !== Infinity)
        .map((animation) => animation.finished.catch(() => null)))
"""


@dataclass
class Watch:
    """What a page did that it must not do."""

    origin: str
    console: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(SAID_BY_THE_BROWSER):
            self.console.append(message.text)

    def on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.foreign.append(request.url)


def chromium_path() -> str | None:
    """Where the browser is; None leaves it to Playwright's own download."""
    given = os.environ.get("PILOTHOUSE_CHROMIUM")
    return (
        given or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    )


@contextmanager
def watched_page(browser: Browser, origin: str, **options: Any) -> Iterator[Page]:
    """A tab that fails at its end if the page broke a rule. `options` go to the browser context."""
    options = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", **options}
    context = browser.new_context(base_url=origin, **options)
    context.add_init_script(REPORT_VIOLATIONS)
    page = context.new_page()
    page.set_default_timeout(30_000)
    watch = Watch(origin)
    page.on("console", watch.on_console)
    page.on("pageerror", lambda error: watch.console.append(str(error)))
    page.on("request", watch.on_request)
    try:
        yield page
        violations = page.evaluate("window.cspViolations")
    finally:
        # An open tab keeps its streams, and the server waits for them when it is stopped.
        context.close()
    assert watch.console == []
    assert watch.foreign == []
    assert violations == []


def assert_accessible(page: Page) -> None:
    """axe finds nothing in the page as it is once what fades or slides in has come to rest."""
    page.evaluate(COME_TO_REST)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
