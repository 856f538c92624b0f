"""In which order and in what batches the embedding model works."""

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from pilothouse_model_server.embeddings.errors import EmbeddingsError
from pilothouse_model_server.embeddings.service import BATCH_TOKENS, EmbeddingService
from pilothouse_model_server.settings import OnnxSettings
from support.embedding_model import ScriptedModel

LONG = "l " * 256


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel(max_tokens=256)


@pytest.fixture
def service(model: ScriptedModel) -> Iterator[EmbeddingService]:
    service = EmbeddingService(model, OnnxSettings())
    yield service
    model.go.set()
    service.close()


def first_letters(model: ScriptedModel) -> str:
    return "".join(chr(batch[0][0]) for batch in model.batches)


async def held_up(model: ScriptedModel, service: EmbeddingService) -> asyncio.Task[object]:
    """A request that the model is working on and will not finish before it is let go."""
    model.go.clear()
    task: asyncio.Task[object] = asyncio.create_task(service.embed(["held"], truncate=True))
    await asyncio.to_thread(model.began.wait, 30)
    return task


async def queued(service: EmbeddingService, text: str, times: int = 1) -> asyncio.Task[object]:
    """A request whose texts wait for the model."""
    before = waiting()
    task: asyncio.Task[object] = asyncio.create_task(service.embed([text] * times, truncate=True))
    async with asyncio.timeout(30):
        while waiting() < before + times:  # noqa: ASYNC110  the tokens are made on another thread
            await asyncio.sleep(0.001)
    return task


def waiting() -> float:
    return REGISTRY.get_sample_value("pilothouse_embeddings_waiting") or 0


async def test_a_question_does_not_wait_for_a_folder_that_is_being_indexed(
    model: ScriptedModel, service: EmbeddingService
) -> None:
    held = await held_up(model, service)
    folder = await queued(service, LONG, 32)
    question = await queued(service, "question")
    model.go.set()
    await asyncio.gather(held, folder, question)
    assert first_letters(model) == "hq" + "l" * 8


async def test_what_came_long_before_is_not_overtaken(model: ScriptedModel) -> None:
    hours = iter(range(10))
    service = EmbeddingService(model, OnnxSettings(), clock=lambda: 3600.0 * next(hours))
    held = await held_up(model, service)
    folder = await queued(service, LONG, 4)
    question = await queued(service, "question")
    model.go.set()
    await asyncio.gather(held, folder, question)
    service.close()
    assert first_letters(model) == "hlq"


async def test_texts_of_similar_length_share_a_batch_of_limited_size(
    model: ScriptedModel, service: EmbeddingService
) -> None:
    texts = ["a " * length for length in (250, 3, 251, 2, 252, 4, 249)] + [LONG] * 9
    await service.embed(texts, truncate=True)
    assert len(model.batches) > 1
    for batch in model.batches:
        assert len(batch) * max(map(len, batch)) <= BATCH_TOKENS
    assert sorted(map(len, model.batches[0]))[:3] == [2, 3, 4]


async def test_what_nobody_waits_for_is_not_computed(model: ScriptedModel, service: EmbeddingService) -> None:
    held = await held_up(model, service)
    gone = await queued(service, "gone")
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    model.go.set()
    await held
    await service.embed(["next"], truncate=True)
    assert first_letters(model) == "hn"
    assert waiting() == 0


async def test_a_failed_batch_is_one_requests_failure(service: EmbeddingService) -> None:
    broken = ScriptedModel(error=ValueError("boom"))
    failing = EmbeddingService(broken, OnnxSettings())
    for _ in range(2):
        with pytest.raises(EmbeddingsError, match="Inference failed"):
            await failing.embed(["x"], truncate=True)
    failing.close()


async def test_closing_ends_what_waits(model: ScriptedModel) -> None:
    service = EmbeddingService(model, OnnxSettings())
    held = await held_up(model, service)
    waits = await queued(service, "waits")
    closing = asyncio.create_task(asyncio.to_thread(service.close))
    # Otherwise its turn could come before the closing.
    assert await asyncio.to_thread(service._closed.wait, 30)
    model.go.set()
    await asyncio.wait((held, waits, closing), timeout=30)
    assert (closing.done(), waits.cancelled()) == (True, True)
    await held
    assert first_letters(model) == "h"
