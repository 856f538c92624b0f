"""Talking to the running services, and saying in words why that did not work."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import httpx2

from pilothouse.home import Home
from pilothouse.output import fail
from pilothouse.state import read_snapshot

# The model may read a long prompt before its first word.
TIMEOUT = httpx2.Timeout(30.0, connect=5.0, read=300.0)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the two services are that the command talks to."""

    ingest: str
    query: str


def addresses(home: Home) -> Addresses:
    """The running local services, or those named by PILOTHOUSE_INGEST_URL and PILOTHOUSE_QUERY_URL."""
    snapshot = read_snapshot(home)

    def address(part: str, variable: str) -> str:
        if named := os.environ.get(variable):
            return named.rstrip("/")
        port = snapshot.port(part) if snapshot and snapshot.running else None
        if port is None:
            fail("Pilothouse is not running. Start it with `make up` or `pilothouse up`.", code=3)
        return f"http://127.0.0.1:{port}"

    return Addresses(
        ingest=address("ingest", "PILOTHOUSE_INGEST_URL"), query=address("query", "PILOTHOUSE_QUERY_URL")
    )


def headers() -> dict[str, str]:
    """The caller's token, for services that want one."""
    token = os.environ.get("PILOTHOUSE_TOKEN")
    return {"authorization": f"Bearer {token}"} if token else {}


def reason(response: httpx2.Response) -> str:
    """Why a request was refused, in the service's own words. The body must have been read."""
    try:
        body: Any = response.json()
    except ValueError:
        return f"the service answered with status {response.status_code}"
    if isinstance(body, dict):
        if isinstance(body.get("error"), dict):
            return str(body["error"].get("message"))
        if "detail" in body:
            return str(body["detail"])
    return f"the service answered with status {response.status_code}"


def unreachable(error: httpx2.HTTPError) -> NoReturn:
    """End the command because a service did not answer."""
    where = f" at {error.request.url.host}:{error.request.url.port}" if _has_request(error) else ""
    fail(
        f"The service{where} did not answer ({type(error).__name__}). "
        "See `pilothouse status` and `pilothouse logs`.",
        code=3,
    )


@contextmanager
def connected(base_url: str) -> Iterator[httpx2.Client]:
    """A client for one service; a service that cannot be reached ends the command."""
    with httpx2.Client(base_url=base_url, timeout=TIMEOUT, headers=headers(), trust_env=False) as client:
        try:
            yield client
        except httpx2.TransportError as error:
            unreachable(error)


def _has_request(error: httpx2.HTTPError) -> bool:
    try:
        return error.request is not None
    except RuntimeError:
        return False
