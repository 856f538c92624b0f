"""The ingest service, reached in the caller's name."""

from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2

from pilothouse_chat_ui.settings import UpstreamSettings
from pilothouse_core.problem import Problem


def open_client(url: str, settings: UpstreamSettings) -> httpx2.AsyncClient:
    """A client for one upstream service. It keeps no cookies: its callers are different people."""
    return httpx2.AsyncClient(
        base_url=url,
        timeout=httpx2.Timeout(
            settings.read_timeout.total_seconds(), connect=settings.connect_timeout.total_seconds()
        ),
        limits=httpx2.Limits(max_connections=settings.connections, max_keepalive_connections=20),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )


def ingest_unavailable(status: int) -> Problem:
    """503 when the ingest service is not reached, 502 when the connection broke."""
    return Problem(
        status=status,
        code="ingest_unavailable",
        title="Documents cannot be reached just now",
        detail="The ingest service does not answer. Chats go on working. Try again in a moment; if it lasts, "
        "tell whoever runs Pilothouse.",
        headers={"retry-after": "3"},
    )
