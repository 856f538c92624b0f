"""What tests ask of the ingest API, and waiting for it without guessing how long."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx2

T = TypeVar("T")
SETTLED = ("indexed", "failed")


async def eventually(ask: Callable[[], Awaitable[T]], holds: Callable[[T], bool], seconds: float = 40) -> T:
    """Asks until the answer satisfies the condition, then returns it."""
    deadline = time.monotonic() + seconds
    while True:
        answer = await ask()
        if holds(answer):
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s; last answer: {answer!r}")
        await asyncio.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Ingest:
    """The API as one principal sees it."""

    client: httpx2.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def make_collection(self, name: str, **body: Any) -> dict[str, Any]:
        response = await self.client.put(f"/v1/collections/{name}", json=body, headers=self.headers)
        assert response.status_code in (200, 201), response.text
        return dict(response.json())

    async def send(
        self, data: bytes, name: str = "file.txt", *, collection: str = "docs", **fields: str
    ) -> httpx2.Response:
        """Uploads and returns the answer, whatever it is."""
        return await self.client.post(
            f"/v1/collections/{collection}/documents",
            files={"file": (name, data)},
            data=fields,
            headers=self.headers,
        )

    async def upload(self, data: bytes, name: str = "file.txt", **fields: str) -> str:
        """Uploads something new and returns the document's id."""
        response = await self.send(data, name, **fields)
        assert response.status_code == 202, response.text
        return str(response.json()["id"])

    async def get(self, path: str, **params: Any) -> httpx2.Response:
        return await self.client.get(path, params=params, headers=self.headers)

    async def document(self, document_id: str) -> dict[str, Any]:
        response = await self.get(f"/v1/documents/{document_id}")
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def settled(self, document_id: str, *, seconds: float = 40) -> dict[str, Any]:
        """The document once it is indexed or failed."""
        return await eventually(
            lambda: self.document(document_id), lambda found: found["status"] in SETTLED, seconds
        )
