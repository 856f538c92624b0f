"""The self-test: through the page against all services, and against services that are out of order."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

import pytest
import pytest_asyncio
from pydantic import HttpUrl, SecretStr

from integration.chat_ui.product import Product, running_product
from integration.chat_ui.replicas import KEY, until
from integration.chat_ui.scripted_query import Say, end, source, sources, token
from integration.chat_ui.tampering import EVENTS, HTML, Answer, says
from pilothouse_chat_ui.selftest.run import run
from pilothouse_chat_ui.selftest.settings import Settings, TargetSettings
from pilothouse_core.auth_settings import AuthSettings
from support.database import Server

# One product for the whole module: every run has a collection and a name of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(postgres_server: Server) -> AsyncIterator[Product]:
    with postgres_server.clone() as database:
        async with running_product(database) as product:
            yield product


@pytest.fixture
def product(running: Product) -> Product:
    running.page.reset()
    running.query.reset()
    return running


@dataclass(frozen=True, slots=True)
class Outcome:
    passed: bool
    lines: list[str]

    @property
    def failure(self) -> str:
        """The one line that says what is wrong."""
        failed = [line for line in self.lines if "  FAILED: " in line]
        assert len(failed) == 1, self.lines
        assert not self.passed
        return failed[0]


SelfTest: TypeAlias = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def selftest(product: Product, capsys: pytest.CaptureFixture[str]) -> SelfTest:
    """Runs the test; gives the lines of its report, without the services' own log."""

    async def outcome(url: str = product.url, *, seconds: float = 60, key: SecretStr = KEY) -> Outcome:
        target = TargetSettings(url=HttpUrl(url), wait=timedelta(seconds=seconds))
        passed = await run(Settings(auth=AuthSettings(mode="token", key=key), selftest=target))
        assert await product.left_behind() == (0, 0)
        return Outcome(passed, report_in(capsys.readouterr().out))

    return outcome


def report_in(output: str) -> list[str]:
    return [line for line in output.splitlines() if re.search(r" \d+\.\d s  (ok|FAILED|STOPPED)", line)]


def streamed(*chunks: Say) -> Answer:
    """An answer of query."""
    events = "".join(f"data: {json.dumps(say.chunk)}\n\n" for say in chunks)
    return says(f"{events}data: [DONE]\n\n".encode(), kind=EVENTS)


async def test_it_passes_through_the_whole_product_and_leaves_nothing_behind(selftest: SelfTest) -> None:
    outcome = await selftest()
    assert outcome.passed, outcome.lines
    assert len(outcome.lines) == 9
    assert all("  ok: " in line for line in outcome.lines)
    assert "it says that the document does not hold it" in outcome.lines[6]


async def test_an_answer_whose_connection_breaks_is_heard_to_its_end(
    product: Product, selftest: SelfTest
) -> None:
    product.page.cuts = 2
    outcome = await selftest()
    assert outcome.passed, outcome.lines
    assert len(product.page.resumed_after) >= 2


async def test_a_quote_that_does_not_stand_where_it_should_is_noticed(
    product: Product, selftest: SelfTest
) -> None:
    product.page.put_before = {"GET /api/documents/.*/text": b"x"}
    failure = (await selftest()).failure
    assert failure.startswith("check the citation ")
    assert "does not stand at" in failure


ODD: list[tuple[str, Answer, str, str]] = [
    ("PUT /api/collections/.*", HTML, "make a collection", "it began “<html> <body>Sign in"),
    ("POST /api/collections/.*", says(b"[1, 2]"), "upload", "something else than expected"),
    ("POST /api/collections/.*", says(b"\xff", status=500), "upload", "status 500"),
    ("GET /api/documents/[^/]*", says(b'{"status": "lost"}'), "wait for the index", "it began"),
    ("POST /api/sessions", says(b"", status=201), "ask", "it began with nothing at all"),
    ("POST /api/sessions/.*", HTML, "ask", "no x-run-id"),
    ("POST /api/sessions/.*", says(b"nonsense", status=418), "ask", "status 418 and began “nonsense”"),
    ("GET /api/documents/.*/text", says(b"\xff\xfe"), "check the citation", "not UTF-8"),
    ("GET /api/documents/.*/text", HTML, "check the citation", "not what was uploaded"),
]


@pytest.mark.parametrize(("call", "answer", "step", "words"), ODD)
async def test_an_answer_that_is_not_understood_is_a_failed_step(
    product: Product, selftest: SelfTest, call: str, answer: Answer, step: str, words: str
) -> None:
    product.page.instead = {call: answer}
    failure = (await selftest()).failure
    assert failure.startswith(f"{step} ")
    assert words in failure


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"<html>", "text/html", "not a stream of events"),
        (b'event: token\ndata: {"text": 7}\n\n', EVENTS, "“token” was not understood"),
        (b"event: done\ndata: <html>\n\n", EVENTS, "“done” was not understood; it began “<html>”"),
    ],
)
async def test_a_stream_that_is_none_is_a_failed_step(
    product: Product, selftest: SelfTest, body: bytes, kind: str, words: str
) -> None:
    product.page.cuts = 1
    product.page.instead = {"GET /api/runs/.*": says(body, kind=kind)}
    failure = (await selftest()).failure
    assert failure.startswith("ask ")
    assert words in failure


FAULTS: list[tuple[Answer, str, str]] = [
    (
        says(b'{"error": {"code": "embedding_unavailable", "message": "It does not answer."}}', status=503),
        "embedding_unavailable: It does not answer",
        "the log of the embedding server",
    ),
    (says(b"{}", status=500), "query_error", "the log of query"),
    (
        streamed(sources(source(1)), token("Closest:"), end(status="model_unavailable")),
        "“model_unavailable”",
        "the log of the model server",
    ),
    (streamed(sources(source(1)), token("The lamp."), end()), "none of the answer's 0 citations", "query"),
]


@pytest.mark.parametrize(("answer", "seen", "look"), FAULTS)
async def test_a_fault_behind_the_page_is_told_with_the_log_that_says_more(
    product: Product, selftest: SelfTest, answer: Answer, seen: str, look: str
) -> None:
    product.query.instead = {"POST /v1/chat/completions": answer}
    failure = (await selftest()).failure
    assert seen in failure
    assert f"Look at {look}" in failure or f"Look at the log of {look}" in failure


async def test_a_document_that_nobody_takes_points_to_the_worker(
    product: Product, selftest: SelfTest
) -> None:
    queued = says(b'{"id": "1", "status": "queued", "error": null}')
    product.page.instead = {"GET /api/documents/[^/]*": queued}
    failure = (await selftest(seconds=5)).failure
    assert (
        "it was not done within 5 s; the document is queued. Look at the log of the ingest worker" in failure
    )


async def test_without_a_page_it_says_so_when_its_patience_is_over(selftest: SelfTest) -> None:
    failure = (await selftest("http://127.0.0.1:9", seconds=1)).failure
    assert failure.startswith("wait for the page ")
    assert "http://127.0.0.1:9 cannot be reached" in failure


async def test_a_wrong_key_is_told_at_once(selftest: SelfTest) -> None:
    failure = (await selftest(key=SecretStr("another key that is long enough, too"))).failure
    assert "unauthenticated: " in failure
    assert "Look at PILOTHOUSE_AUTH_KEY" in failure


async def test_when_it_is_stopped_it_deletes_what_it_has_made(product: Product) -> None:
    never = says(b'{"id": "1", "status": "queued", "error": null}')
    product.page.instead = {"GET /api/documents/[^/]*": never}
    variables = {
        "PILOTHOUSE_AUTH_MODE": "token",
        "PILOTHOUSE_AUTH_KEY": KEY.get_secret_value(),
        "PILOTHOUSE_SELFTEST_URL": product.url,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pilothouse_chat_ui.selftest",
        env=os.environ | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        await until(lambda: any(call.startswith("GET /api/documents/") for call in product.page.seen))
        process.terminate()
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    lines = report_in(output.decode())
    assert process.returncode == 1
    assert "STOPPED" in lines[3]
    assert [line.split(" ")[0] for line in lines[4:]] == ["delete", "delete"]
    assert "Traceback" not in output.decode()
    assert await product.left_behind() == (0, 0)
