"""Which model answers, and whether it can: asked from the query service, remembered for a moment."""

import time

import httpx2
from pydantic import BaseModel, ValidationError

FRESH_SECONDS = 5.0


class ModelStatus(BaseModel):
    """The model behind the answers; `name` is null while nobody knows."""

    name: str | None
    available: bool


class _Status(BaseModel):
    model: ModelStatus


class ModelMonitor:
    """Asks at most every few seconds, whoever wants to know."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self._known = ModelStatus(name=None, available=False)
        self._asked = float("-inf")

    async def status(self, headers: dict[str, str]) -> ModelStatus:
        """What is known now. A query service that cannot say which model it uses counts as available."""
        if time.monotonic() - self._asked < FRESH_SECONDS:
            return self._known
        self._known = await self._ask(headers)
        self._asked = time.monotonic()
        return self._known

    async def _ask(self, headers: dict[str, str]) -> ModelStatus:
        try:
            response = await self._client.get("/v1/status", headers=headers, timeout=2)
        except httpx2.TransportError:
            return ModelStatus(name=self._known.name, available=False)
        if response.status_code == 404:
            return ModelStatus(name=None, available=True)
        try:
            return _Status.model_validate_json(response.content).model
        except ValidationError:
            return ModelStatus(name=self._known.name, available=False)
