"""A second, closer look at search results: the `Reranker` port and its HTTP adapter."""

from collections.abc import Sequence
from typing import Protocol

import httpx2


class RerankerError(Exception):
    """The reranking server cannot be reached or did not answer as agreed."""


class Reranker(Protocol):
    """Scores how well each text answers a question; higher is better."""

    async def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        """One score per text, in the order of `texts`. Raises `RerankerError`."""
        ...


class TeiReranker:
    """A server that speaks Text Embeddings Inference's `/rerank`."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        if not texts:
            return []
        body = {"query": query, "texts": list(texts), "truncate": True}
        try:
            response = await self._client.post("/rerank", json=body)
            response.raise_for_status()
            scores = {int(item["index"]): float(item["score"]) for item in response.json()}
            return [scores[index] for index in range(len(texts))]
        except (httpx2.HTTPError, ValueError, KeyError, TypeError) as exc:
            raise RerankerError(f"The reranking server did not answer as expected: {exc}") from exc
