"""How much a model can read and what it is called, as its server says."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import structlog

from pilothouse_core.reaching import reached
from pilothouse_query.settings import ModelSettings

log = structlog.get_logger()

# For a server that does not say; every model in use today reads at least this much.
UNKNOWN_CONTEXT = 2048
ASK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """A model's name and its context in tokens, prompt and answer together."""

    model: str
    context_tokens: int


class NotAModelServerError(Exception):
    """Something answers at the address, and it is no model server, or does not let us in."""


class LimitsReader:
    """Asks once and remembers, until the time is over or a call has failed.

    Who comes while it is being asked gets the same answer, or the same error: a server that hangs
    must not make people wait one after the other.
    """

    def __init__(self, client: httpx2.AsyncClient, settings: ModelSettings) -> None:
        self._client = client
        self._settings = settings
        self._known: Limits | None = None
        self._until = 0.0
        self._asking: asyncio.Task[Limits] | None = None
        self.was_there = False
        """The server answered the last time that it was asked."""

    async def read(self) -> Limits:
        """Raises `httpx2.HTTPError` when the server cannot be reached, or `NotAModelServerError`."""
        if self._known is not None and time.monotonic() <= self._until:
            return self._known
        if self._asking is None:
            self._asking = asyncio.create_task(self._learn())
            self._asking.add_done_callback(self._asked)
        # Shielded: the one who asked first may go away while others still wait.
        return await asyncio.shield(self._asking)

    def forget(self) -> None:
        """After a failure another server may answer at the same address."""
        self._known = None

    async def _learn(self) -> Limits:
        try:
            found = await self._ask()
        except httpx2.HTTPError:
            self.was_there = False
            raise
        self.was_there = True
        self._known = found
        self._until = time.monotonic() + self._settings.limits_lifetime.total_seconds()
        log.info("model_limits", model=found.model, context_tokens=found.context_tokens)
        return found

    def _asked(self, task: asyncio.Task[Limits]) -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()  # seen, even if nobody waits for it any more

    async def _ask(self) -> Limits:
        """TGI says it at /info, vLLM at /v1/models, llama.cpp at /props."""
        info = await self._get("info")
        models = await self._get("v1/models", needed=True)
        model = self._settings.name or _text(info.get("model_id")) or _first_model(models) or "default"
        context = (
            self._settings.context_tokens
            or _count(info.get("max_total_tokens"))
            or _max_model_len(models, model)
            or _slot_context(await self._get("props"))
            or UNKNOWN_CONTEXT
        )
        return Limits(model, context)

    async def _get(self, path: str, *, needed: bool = False) -> Mapping[str, Any]:
        timeout = httpx2.Timeout(ASK_SECONDS, connect=self._settings.connect_timeout.total_seconds())
        response = await reached(lambda: self._client.get(path, timeout=timeout), patient=self.was_there)
        if needed:
            _check_model_server(response)
        if response.status_code != 200:
            return {}
        try:
            body = response.json()
        except ValueError:
            return {}
        return body if isinstance(body, Mapping) else {}


def is_page(response: httpx2.Response) -> bool:
    """Whether it is meant for a browser: the address of some other program, or of a sign-in page."""
    return str(response.headers.get("content-type", "")).startswith("text/html")


def _check_model_server(response: httpx2.Response) -> None:
    """All that speak OpenAI's protocol list their models; one without the list (404) may still answer."""
    status = response.status_code
    if status in (401, 403):
        raise NotAModelServerError(f"it refuses PILOTHOUSE_MODEL_KEY (status {status})")
    if 300 <= status < 400:
        raise NotAModelServerError(f"it sends the caller elsewhere (status {status})")
    if status >= 500:
        raise NotAModelServerError(f"/v1/models answers with status {status}")
    if is_page(response):
        raise NotAModelServerError(f"/v1/models is a web page (status {status})")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _models(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    data = body.get("data")
    return [item for item in data if isinstance(item, Mapping)] if isinstance(data, list) else []


def _first_model(body: Mapping[str, Any]) -> str | None:
    return next((_text(item.get("id")) for item in _models(body)), None)


def _max_model_len(body: Mapping[str, Any], model: str) -> int | None:
    lengths = {item.get("id"): _count(item.get("max_model_len")) for item in _models(body)}
    return lengths.get(model) or next(iter(lengths.values()), None)


def _slot_context(body: Mapping[str, Any]) -> int | None:
    settings = body.get("default_generation_settings")
    return _count(settings.get("n_ctx")) if isinstance(settings, Mapping) else None
