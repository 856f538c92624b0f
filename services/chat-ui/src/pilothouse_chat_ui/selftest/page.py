"""The page's API as the test calls it: every answer is either understood or a `Failure`."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from pilothouse_chat_ui.selftest.failure import Failure, beginning, refused
from pilothouse_core.auth import Authenticator, Principal

Model = TypeVar("Model", bound=BaseModel)

# Streams send a sign of life every ten seconds.
SILENCE_SECONDS = 30.0
# A replica that is just being replaced is no fault.
PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.5
NOT_REACHED = (httpx2.ConnectError, httpx2.ConnectTimeout)


class Page:
    """Calls in the name of one principal; a token lives for a minute, so each call gets its own."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def call(
        self, method: str, path: str, look: str, *, expect: Collection[int] = (200,), **arguments: Any
    ) -> httpx2.Response:
        """The whole answer; its status is one of those expected."""
        async with self.stream(method, path, look, expect=expect, **arguments) as response:
            await _read(response, look)
            return response

    async def once(self, path: str, look: str) -> httpx2.Response:
        """One try at a GET, for those who have patience of their own."""
        async with self._answer("GET", path, look, expect=(200,)) as response:
            await _read(response, look)
            return response

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, look: str, *, expect: Collection[int] = (200,), **arguments: Any
    ) -> AsyncIterator[httpx2.Response]:
        """An answer whose body has not been read. Waits a little for who is not there or says 503."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            may_wait = time.monotonic() < deadline
            try:
                async with self._answer(method, path, look, expect=expect, **arguments) as response:
                    may_wait = False
                    yield response
                    return
            except _NotNow as exc:
                if not may_wait:
                    raise Failure(exc.seen, exc.look) from exc
            await asyncio.sleep(PAUSE_SECONDS)

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, look: str, *, expect: Collection[int], **arguments: Any
    ) -> AsyncIterator[httpx2.Response]:
        try:
            request = self._client.build_request(method, path, **arguments)
            response = await self._client.send(request, stream=True)
        except NOT_REACHED as exc:
            raise _NotNow(
                f"{str(self._client.base_url).rstrip('/')} cannot be reached ({_words(exc)})", look
            ) from exc
        except httpx2.HTTPError as exc:
            raise Failure(f"{method} {path} got no answer ({_words(exc)})", look) from exc
        try:
            if response.status_code not in expect:
                failure = refused(response.status_code, await _read(response, look), look)
                raise _NotNow(failure.seen, failure.look) if response.status_code == 503 else failure
            yield response
        finally:
            await response.aclose()


class _NotNow(Failure):
    """Nothing was done; later it may be."""


def understood(model: type[Model], response: httpx2.Response, look: str) -> Model:
    """The answer's body, if it is what the API promises."""
    try:
        return model.model_validate_json(response.content)
    except ValidationError as exc:
        path = response.request.url.path
        raise Failure(
            f"{path} answered something else than expected; it began {beginning(response.content)}", look
        ) from exc


@asynccontextmanager
async def open_page(url: str, authenticator: Authenticator, principal: Principal) -> AsyncIterator[Page]:
    """The page at this address, as this principal."""

    def sign(request: httpx2.Request) -> httpx2.Request:
        request.headers.update(authenticator.headers(principal))
        return request

    async with httpx2.AsyncClient(
        base_url=url, auth=sign, timeout=SILENCE_SECONDS, follow_redirects=False, trust_env=False
    ) as client:
        yield Page(client)


async def _read(response: httpx2.Response, look: str) -> bytes:
    try:
        return await response.aread()
    except httpx2.HTTPError as exc:
        raise Failure(f"the answer of {response.request.url.path} broke off ({_words(exc)})", look) from exc


def _words(exc: Exception) -> str:
    return str(exc) or type(exc).__name__
