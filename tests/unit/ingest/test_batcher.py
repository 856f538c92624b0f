"""Documents share batches, get their own vectors back, and fail alone."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from pilothouse_core.embedding import EmbedderError, Vectors
from pilothouse_core.testing import HashEmbedder
from pilothouse_ingest.indexing.batcher import EmbeddingBatcher


class Recording(HashEmbedder):
    """Keeps the batches; each waits for the gate, texts with `poison` fail."""

    def __init__(self) -> None:
        super().__init__(dimension=8)
        self.batches: list[list[str]] = []
        self.called = asyncio.Event()
        self.gate = asyncio.Event()

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(list(texts))
        self.called.set()
        await self.gate.wait()
        if any("poison" in text for text in texts):
            raise EmbedderError("The model does not like it.")
        return await super().embed_documents(texts)


def lengths(texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


async def test_everyone_gets_their_own_vectors_in_order() -> None:
    embedder = Recording()
    embedder.gate.set()
    asked = [[f"document {d} " + "word " * (n % 7) for n in range(d)] for d in range(12)]
    async with EmbeddingBatcher(embedder, batch_size=5) as batcher:
        answers = await asyncio.gather(*(batcher.embed(texts, lengths(texts)) for texts in asked))
    for texts, vectors in zip(asked, answers, strict=True):
        expected = await HashEmbedder(dimension=8).embed_documents(texts)
        assert np.allclose(vectors, expected, atol=1e-3)
    assert max(len(batch) for batch in embedder.batches) <= 5


async def test_what_comes_while_a_batch_runs_shares_the_next_one_by_length() -> None:
    embedder = Recording()
    async with EmbeddingBatcher(embedder, batch_size=4) as batcher:
        first = asyncio.create_task(batcher.embed(["first"], [5]))
        await embedder.called.wait()
        texts = ["a" * n for n in (1, 100, 2, 101)]
        others = [asyncio.create_task(batcher.embed([text], [len(text)])) for text in texts[:3]]
        await asyncio.sleep(0)
        embedder.gate.set()
        await asyncio.gather(first, *others)
    assert embedder.batches == [["first"], ["a", "aa", "a" * 100]]


async def test_a_failure_reaches_only_who_was_in_the_batch() -> None:
    embedder = Recording()
    embedder.gate.set()
    async with EmbeddingBatcher(embedder, batch_size=1) as batcher:
        bad = asyncio.create_task(batcher.embed(["poison", "never asked"], [6, 11]))
        good = asyncio.create_task(batcher.embed(["fine"], [4]))
        with pytest.raises(EmbedderError):
            await bad
        assert (await good).shape == (1, 8)


class Crashing(HashEmbedder):
    """Fails in a way that nobody foresaw, or answers with too few vectors."""

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        if texts == ["crash"]:
            raise RuntimeError("out of memory")
        vectors = await super().embed_documents(texts)
        return vectors[:-1] if texts == ["lose"] else vectors


async def test_no_failure_of_the_model_ends_the_work_for_all() -> None:
    async with EmbeddingBatcher(Crashing(dimension=8), batch_size=4) as batcher, asyncio.timeout(10):
        for text, error in [("crash", RuntimeError), ("lose", ValueError)] * 3:
            with pytest.raises(error):
                await batcher.embed([text], [5])
        assert (await batcher.embed(["fine"], [4])).shape == (1, 8)


async def test_texts_of_a_cancelled_document_are_not_embedded() -> None:
    embedder = Recording()
    async with EmbeddingBatcher(embedder, batch_size=2) as batcher:
        first = asyncio.create_task(batcher.embed(["first"], [5]))
        await embedder.called.wait()
        waiting = asyncio.create_task(batcher.embed(["given up"], [8]))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        embedder.gate.set()
        await first
    assert embedder.batches == [["first"]]


async def test_a_model_that_is_replaced_ends_what_was_begun_with_the_old_one_and_nothing_else() -> None:
    embedder = Recording()
    async with EmbeddingBatcher(embedder, batch_size=4) as batcher, asyncio.timeout(10):
        begun = asyncio.create_task(batcher.embed(["begun", "with the first"], [5, 14]))
        await embedder.called.wait()
        embedder.dimension = 16
        new = asyncio.create_task(batcher.embed(["new"], [3]))
        embedder.gate.set()
        with pytest.raises(EmbedderError, match="model changed"):
            await begun
        assert (await new).shape == (1, 16)


async def test_documents_of_two_models_in_one_batch_do_not_fail_together() -> None:
    embedder = Recording()
    async with EmbeddingBatcher(embedder, batch_size=4) as batcher, asyncio.timeout(10):
        running = asyncio.create_task(batcher.embed(["first"], [5]))
        await embedder.called.wait()
        old = asyncio.create_task(batcher.embed(["old"], [3]))
        await asyncio.sleep(0)
        embedder.dimension = 16
        new = asyncio.create_task(batcher.embed(["new"], [3]))
        await asyncio.sleep(0)
        embedder.gate.set()
        answers = await asyncio.gather(running, old, new, return_exceptions=True)
    assert embedder.batches == [["first"], ["old", "new"]]
    assert [type(answer) for answer in answers] == [EmbedderError, EmbedderError, np.ndarray]
