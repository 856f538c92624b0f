"""Turns texts into vectors: limits, the queue, batches of similar length, giving up what nobody waits for."""

import asyncio
import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import structlog
from prometheus_client import Counter, Gauge

from pilothouse_model_server.embeddings.errors import EmbeddingsError, Kind
from pilothouse_model_server.embeddings.model import TextModel, Tokens, Vectors
from pilothouse_model_server.settings import OnnxSettings

log = structlog.get_logger()

TEXTS = Counter("pilothouse_embeddings_texts", "Texts embedded.")
TOKENS = Counter("pilothouse_embeddings_tokens", "Tokens read.")
WAITING = Gauge("pilothouse_embeddings_waiting", "Texts waiting for the model.")

# Tokens that the model reads in one go, padding included: on a CPU, larger batches are not faster and only
# make others wait.
BATCH_TOKENS = 1024
# A request's place in the queue is when it came plus the time it takes at this rate. So a question does not
# wait for a folder that is being indexed, and nobody waits for ever.
TOKENS_PER_SECOND = 500


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of a request's texts, and how many tokens these had."""

    vectors: Vectors
    tokens: int


@dataclass(order=True, slots=True)
class _Batch:
    due: float
    number: int
    tokens: list[Tokens] = field(compare=False)
    result: Future[Vectors] = field(compare=False, default_factory=Future)


class EmbeddingService:
    """Embeds with one model; one batch at a time, because a batch already uses every thread."""

    def __init__(
        self, model: TextModel, settings: OnnxSettings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.model = model
        self._clock = clock
        self._settings = settings
        self._requests = 0
        self._numbers = itertools.count()
        self._batches: queue.PriorityQueue[_Batch] = queue.PriorityQueue()
        self._closed = threading.Event()
        self._tokenizing = ThreadPoolExecutor(1, thread_name_prefix="tokenize")
        self._thread = threading.Thread(target=self._work, name="embed", daemon=True)
        self._thread.start()

    async def embed(
        self,
        texts: Sequence[str],
        *,
        truncate: bool,
        normalize: bool = True,
        dimensions: int | None = None,
    ) -> Embedded:
        """Vectors in the order of the texts. Cancelling takes back what has not begun.

        Raises EmbeddingsError.
        """
        self._check(texts, dimensions)
        self._requests += 1
        try:
            loop = asyncio.get_running_loop()
            tokens = await loop.run_in_executor(self._tokenizing, self.model.tokens, texts)
            if not truncate and any(item.cut for item in tokens):
                raise EmbeddingsError(
                    Kind.VALIDATION,
                    f"`inputs` must have at most {self.model.max_tokens} tokens each. Shorten them, "
                    "or send `truncate: true`.",
                )
            vectors = await self._vectors(tokens)
        finally:
            self._requests -= 1
        vectors = vectors[:, :dimensions]
        if normalize:
            vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return Embedded(np.ascontiguousarray(vectors), sum(len(item.ids) for item in tokens))

    def close(self) -> None:
        """Let the batch in work end; nobody waits for the others any more."""
        self._closed.set()
        self._batches.put(_Batch(0, -1, []))
        self._thread.join()
        self._tokenizing.shutdown(cancel_futures=True)

    def _check(self, texts: Sequence[str], dimensions: int | None) -> None:
        most = self._settings
        if not texts:
            raise EmbeddingsError(Kind.EMPTY, "Batch is empty")
        if len(texts) > most.batch:
            raise EmbeddingsError(
                Kind.VALIDATION, f"batch size {len(texts)} > maximum allowed batch size {most.batch}"
            )
        if not all(texts):
            raise EmbeddingsError(Kind.EMPTY, "`inputs` cannot be empty")
        if (characters := sum(map(len, texts))) > most.characters:
            raise EmbeddingsError(
                Kind.VALIDATION, f"{characters} characters > {most.characters} at most in one request"
            )
        if dimensions is not None and dimensions > self.model.dimension:
            raise EmbeddingsError(Kind.VALIDATION, f"`dimensions` can be at most {self.model.dimension}")
        if self._requests >= most.queue:
            raise EmbeddingsError(Kind.OVERLOADED, "Model is overloaded. Try again in a few seconds.")

    async def _vectors(self, tokens: list[Tokens]) -> Vectors:
        due = self._clock() + sum(len(item.ids) for item in tokens) / TOKENS_PER_SECOND
        parts = list(_similar(tokens))
        batches = [_Batch(due, next(self._numbers), [tokens[place] for place in part]) for part in parts]
        for batch in batches:
            WAITING.inc(len(batch.tokens))
            self._batches.put(batch)
        vectors = np.empty((len(tokens), self.model.dimension), dtype=np.float32)
        try:
            for part, batch in zip(parts, batches, strict=True):
                made: Vectors = await asyncio.wrap_future(batch.result)
                vectors[part] = made
        except RuntimeError as exc:
            raise EmbeddingsError(
                Kind.BACKEND, "Inference failed; the reason is in the server's log."
            ) from exc
        finally:
            for batch in batches:
                batch.result.cancel()
        return vectors

    def _work(self) -> None:
        while True:
            batch = self._batches.get()
            WAITING.dec(len(batch.tokens))
            if self._closed.is_set():
                batch.result.cancel()
                if self._batches.empty():
                    return
                continue
            if not batch.result.set_running_or_notify_cancel():
                continue
            try:
                vectors = self.model.vectors(batch.tokens)
            except Exception as exc:  # whatever the native library throws belongs to the one who waits
                log.error("embedding_failed", texts=len(batch.tokens), exc_info=exc)
                batch.result.set_exception(RuntimeError(str(exc)))
                continue
            TEXTS.inc(len(batch.tokens))
            TOKENS.inc(sum(len(item.ids) for item in batch.tokens))
            batch.result.set_result(vectors)


def _similar(tokens: Sequence[Tokens]) -> Iterator[list[int]]:
    """Places of texts of similar length, so that little is padding; the short ones first."""
    part: list[int] = []
    for place in sorted(range(len(tokens)), key=lambda place: len(tokens[place].ids)):
        if part and (len(part) + 1) * len(tokens[place].ids) > BATCH_TOKENS:
            yield part
            part = []
        part.append(place)
    yield part
