"""Sends requests as a browser does, and writes down how they ended."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from pilothouse_core.auth import Authenticator, Principal
from support.cluster.traffic.records import Ledger

# Longer than any answer that somebody would wait for before reloading the page.
PATIENCE = 60.0
RESENDS = 3


class Refused(Exception):
    """A request that failed for the person who made it. It is in the ledger already."""


class Caller:
    """One person's connections to one service."""

    def __init__(self, base_url: str, signer: Authenticator, person: str, ledger: Ledger) -> None:
        self._client = httpx2.AsyncClient(
            base_url=base_url, timeout=httpx2.Timeout(PATIENCE, connect=PATIENCE), trust_env=False
        )
        self._signer = signer
        self._principal = Principal(person)
        self.ledger = ledger

    async def aclose(self) -> None:
        await self._client.aclose()

    async def call(self, kind: str, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """The answer, when it is one of success. Raises Refused."""
        started = time.monotonic()
        try:
            response = await self._send(method, path, **arguments)
            await response.aread()
        except httpx2.TransportError as exc:
            self.ledger.add(kind, started, 0, repr(exc))
            raise Refused(repr(exc)) from exc
        self._judge(kind, started, response)
        return response

    @asynccontextmanager
    async def stream(
        self, kind: str, method: str, path: str, **arguments: Any
    ) -> AsyncIterator[httpx2.Response]:
        """An answer that is still coming; judged by how it begins. Raises Refused."""
        started = time.monotonic()
        try:
            response = await self._send(method, path, **arguments)
        except httpx2.TransportError as exc:
            self.ledger.add(kind, started, 0, repr(exc))
            raise Refused(repr(exc)) from exc
        try:
            if response.is_error:
                await response.aread()
            self._judge(kind, started, response)
            yield response
        finally:
            await response.aclose()

    async def quietly(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        """For what nobody sees, such as the page's own attempts to open a stream again."""
        return await self._send(method, path, **arguments)

    def _judge(self, kind: str, started: float, response: httpx2.Response) -> None:
        if response.is_success:
            self.ledger.add(kind, started, response.status_code)
            return
        error = f"{response.status_code} {response.text[:300]}"
        self.ledger.add(kind, started, response.status_code, error)
        raise Refused(error)

    async def _send(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **arguments: Any
    ) -> httpx2.Response:
        """Sends it again when a connection kept from before is closed at that moment, as browsers do."""
        for resend in range(RESENDS + 1):
            fresh = False

            async def trace(event: str, _info: object) -> None:
                nonlocal fresh
                fresh = fresh or event == "connection.connect_tcp.started"

            request = self._client.build_request(
                method,
                path,
                headers=self._signer.headers(self._principal) | (headers or {}),
                extensions={"trace": trace},
                **arguments,
            )
            try:
                return await self._client.send(request, stream=True)
            except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
                if fresh or resend == RESENDS:
                    raise
                self.ledger.count("resent on a new connection")
        raise AssertionError("not reached")
