"""One stream of batches to the embedder, fed by all documents in work.

Small documents alone would leave most of a batch empty, and texts of unequal length waste
time on padding. So all waiting texts lie in one pool, sorted by length; a batch is the text
that waits longest and its neighbours in length.
"""

import asyncio
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pilothouse_core.embedding import Embedder, EmbedderError


@dataclass(slots=True)
class _Request:
    texts: Sequence[str]
    vectors: NDArray[np.float16]
    left: int
    done: asyncio.Future[None]


@dataclass(order=True, slots=True)
class _Waiting:
    length: int
    arrival: int
    request: _Request = field(compare=False)
    index: int = field(compare=False)


class EmbeddingBatcher:
    """Embeds texts of many callers in shared batches. Use as an async context manager."""

    def __init__(self, embedder: Embedder, *, batch_size: int, parallel: int = 2) -> None:
        self._embedder = embedder
        self._batch_size = batch_size
        self._parallel = parallel
        self._pool: list[_Waiting] = []
        self._arrivals = 0
        self._running = 0
        self._changed = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "EmbeddingBatcher":
        self._tasks = [asyncio.create_task(self._consume()) for _ in range(self._parallel)]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def embed(self, texts: Sequence[str], lengths: Sequence[int]) -> NDArray[np.float16]:
        """Vectors of the texts, in order, half precision as stored. Raises what the embedder raises."""
        vectors = np.zeros((len(texts), self._embedder.dimension), dtype=np.float16)
        if not texts:
            return vectors
        request = _Request(texts, vectors, len(texts), asyncio.get_running_loop().create_future())
        async with self._changed:
            for index, length in enumerate(lengths):
                insort(self._pool, _Waiting(length, self._arrivals, request, index))
                self._arrivals += 1
            self._changed.notify_all()
        try:
            await request.done
        finally:
            if not request.done.done() or request.done.cancelled():
                self._pool = [item for item in self._pool if item.request is not request]
        return request.vectors

    async def _consume(self) -> None:
        while True:
            async with self._changed:
                await self._changed.wait_for(self._worth_starting)
                batch = self._take()
                self._running += 1
            try:
                await self._embed(batch)
            finally:
                async with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

    def _worth_starting(self) -> bool:
        """A second batch is prepared while one runs, but only a full one: others may still fill up."""
        return len(self._pool) >= self._batch_size or (bool(self._pool) and self._running == 0)

    def _take(self) -> list[_Waiting]:
        oldest = min(range(len(self._pool)), key=lambda at: self._pool[at].arrival)
        first = max(0, min(oldest - self._batch_size // 2, len(self._pool) - self._batch_size))
        batch = self._pool[first : first + self._batch_size]
        del self._pool[first : first + self._batch_size]
        return batch

    async def _embed(self, batch: list[_Waiting]) -> None:
        try:
            vectors = await self._embedder.embed_documents([item.request.texts[item.index] for item in batch])
            pairs = list(zip(batch, vectors, strict=True))
            misfits = {}
            for item, vector in pairs:
                # The model may be replaced while a request waits; the next request is of the new one.
                if vector.shape == item.request.vectors.shape[1:]:
                    item.request.vectors[item.index] = vector
                else:
                    misfits[id(item.request)] = item.request
        except Exception as exc:  # a model may throw anything; it belongs to those who wait, not to this task
            self._fail({id(item.request): item.request for item in batch}, exc)
            return
        if misfits:
            self._fail(misfits, EmbedderError("The embedding model changed while the document was embedded."))
        for item in batch:
            item.request.left -= 1
            if item.request.left == 0 and not item.request.done.done():
                item.request.done.set_result(None)

    def _fail(self, requests: dict[int, _Request], exc: Exception) -> None:
        self._pool = [item for item in self._pool if id(item.request) not in requests]
        for request in requests.values():
            if not request.done.done():
                request.done.set_exception(exc)
