"""The embedder port: the fake, the local model and a TEI server behave alike."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi import FastAPI

from pilothouse_core.embedding import (
    Embedder,
    EmbedderAwayError,
    EmbedderBusyError,
    EmbedderError,
    TeiEmbedder,
    open_embedder,
)
from pilothouse_core.settings import EmbeddingSettings
from pilothouse_core.testing import HashEmbedder


def tei_app(embedder: Embedder) -> FastAPI:
    app = FastAPI()

    @app.get("/info")
    async def info() -> dict[str, object]:
        return {
            "model_id": embedder.model,
            "max_input_length": embedder.max_tokens,
            "max_client_batch_size": 4,
        }

    @app.post("/embed")
    async def embed(body: dict[str, Any]) -> list[list[float]]:
        assert len(body["inputs"]) <= 4
        return [[float(x) for x in row] for row in await embedder.embed_documents(body["inputs"])]

    return app


@pytest.fixture(params=["fake", "tei", "local"])
async def embedder(request: pytest.FixtureRequest) -> AsyncIterator[Embedder]:
    if request.param == "fake":
        yield HashEmbedder()
    elif request.param == "tei":
        transport = httpx2.ASGITransport(app=tei_app(HashEmbedder()))
        async with httpx2.AsyncClient(transport=transport, base_url="http://tei") as client:
            remote = TeiEmbedder(client, batch_size=32)
            await remote.start()
            yield remote
    else:
        async with open_embedder(EmbeddingSettings()) as local:
            yield local


class TestEmbedder:
    async def test_vectors_have_the_promised_shape_and_length_one(self, embedder: Embedder) -> None:
        vectors = await embedder.embed_documents([f"text {n}" for n in range(9)])
        assert vectors.shape == (9, embedder.dimension)
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)

    async def test_no_texts_give_no_vectors(self, embedder: Embedder) -> None:
        assert (await embedder.embed_documents([])).shape == (0, embedder.dimension)

    async def test_the_fitting_text_is_the_closest(self, embedder: Embedder) -> None:
        texts = ["The cat sleeps on the sofa.", "PostgreSQL stores rows.", "A backup is taken every night."]
        question = await embedder.embed_query("Which backup is taken at night?")
        assert int(np.argmax(await embedder.embed_documents(texts) @ question)) == 2

    async def test_offsets_point_into_the_text_in_order(self, embedder: Embedder) -> None:
        text = "Grüße, 世界 – naïve"
        spans = embedder.token_offsets(text)
        assert len(spans) == embedder.count_tokens([text])[0]
        assert all(0 <= start <= end <= len(text) for start, end in spans)
        assert spans == sorted(spans)
        assert "".join(text[a:b] for a, b in spans) == text.replace(" ", "")


async def test_a_missing_model_is_said_in_words() -> None:
    with pytest.raises(EmbedderError, match="PILOTHOUSE_EMBEDDING_MODEL"):
        async with open_embedder(EmbeddingSettings(model="./no-such-folder")):
            pass


@pytest.mark.parametrize(
    "answers",
    [
        {"/info": httpx2.Response(200, text="<html>hello</html>")},
        {"/info": httpx2.Response(401)},
        {"/info": httpx2.Response(200, json={"model": "x"})},
        {"/info": httpx2.Response(200, json=[])},
        {"/embed": httpx2.Response(200, json={"error": "busy"})},
        {"/embed": httpx2.Response(200, json=[[1.0], [1.0, 2.0]])},
        {"/embed": httpx2.Response(200, json=[[1.0], [2.0]])},
        {"/embed": httpx2.Response(200, json=[[None]])},
        {"/embed": httpx2.Response(200, json=[[0.1] * 4001])},
        {"/info": httpx2.Response(200, json={"model_id": "m", "max_input_length": 2})},
    ],
)
async def test_a_server_that_answers_something_else_is_an_error(answers: dict[str, httpx2.Response]) -> None:
    right = {"/info": httpx2.Response(200, json={"model_id": "m", "max_input_length": 256})}

    def answer(request: httpx2.Request) -> httpx2.Response:
        return (right | answers)[request.url.path]

    address = "http://me:hidden@tei:81"
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer), base_url=address) as client:
        with pytest.raises(EmbedderError, match=r"tei:81 .* PILOTHOUSE_EMBEDDING_URL") as caught:
            await TeiEmbedder(client, batch_size=8).start()
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("served", "model"),
    [
        ({"served_model_name": "BAAI/bge-m3"}, "BAAI/bge-m3"),
        ({"served_model_name": ""}, "/models/BAAI--bge-m3/main"),
        ({}, "/models/BAAI--bge-m3/main"),
    ],
)
async def test_a_model_has_the_name_that_the_server_gives_it(served: dict[str, str], model: str) -> None:
    info = {"model_id": "/models/BAAI--bge-m3/main", "max_input_length": 256, **served}
    answers = {"/info": httpx2.Response(200, json=info), "/embed": httpx2.Response(200, json=[[0.6, 0.8]])}
    transport = httpx2.MockTransport(lambda request: answers[request.url.path])
    async with httpx2.AsyncClient(transport=transport, base_url="http://tei") as client:
        embedder = TeiEmbedder(client, batch_size=8)
        await embedder.start()
    assert embedder.model == model


class Replaced:
    """A server whose model is replaced by another, and which is away in between when told so."""

    def __init__(self) -> None:
        self.embedder = HashEmbedder(model="first")
        self.away = False
        self.status = 0
        self.busy = False
        self.asked: list[str] = []

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request.url.path)
        if self.away:
            raise httpx2.ConnectError("refused", request=request)
        if request.url.path == "/info":
            told = {"model_id": self.embedder.model, "max_input_length": self.embedder.max_tokens}
            return httpx2.Response(200, json=told)
        texts = json.loads(request.content)["inputs"]
        if self.busy or (self.status and "refused" in texts):
            return httpx2.Response(self.status)
        vectors = await self.embedder.embed_documents(texts)
        return httpx2.Response(200, json=[[float(number) for number in row] for row in vectors])


@pytest.fixture
async def replaced() -> AsyncIterator[tuple[Replaced, TeiEmbedder]]:
    server = Replaced()
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(server), base_url="http://tei") as client:
        yield server, TeiEmbedder(client, batch_size=8)


async def test_a_server_that_comes_late_is_used_when_it_is_there(
    replaced: tuple[Replaced, TeiEmbedder],
) -> None:
    server, embedder = replaced
    server.away = True
    with pytest.raises(EmbedderError):
        await embedder.embed_query("early")
    assert embedder.fault is not None
    assert "ConnectError" in embedder.fault
    server.away = False
    assert (await embedder.embed_query("late")).shape == (64,)
    assert embedder.model == "first"


async def test_after_a_failure_the_server_is_asked_anew_what_it_serves(
    replaced: tuple[Replaced, TeiEmbedder],
) -> None:
    server, embedder = replaced
    await embedder.embed_query("one")
    await embedder.embed_query("two")
    assert server.asked.count("/info") == 1
    server.away = True
    with pytest.raises(EmbedderError):
        await embedder.embed_query("three")
    assert embedder.fault is None  # it has worked; it is away, not wrong
    server.away = False
    server.embedder = HashEmbedder(model="second", dimension=32)
    assert (await embedder.embed_query("four")).shape == (32,)
    assert (embedder.model, embedder.dimension) == ("second", 32)


async def test_a_server_that_goes_away_is_told_from_one_that_refuses_a_text(
    replaced: tuple[Replaced, TeiEmbedder],
) -> None:
    server, embedder = replaced
    for server.status in (413, 424, 500):
        with pytest.raises(EmbedderError, match=f"status {server.status}") as caught:
            await embedder.embed_documents(["refused"])
        assert not isinstance(caught.value, EmbedderAwayError)
        assert embedder.away is None
    server.away = True
    with pytest.raises(EmbedderAwayError, match="ConnectError"):
        await embedder.embed_documents(["refused"])
    assert "ConnectError" in (embedder.away or "")
    server.away = False
    await embedder.embed_documents(["taken"])
    assert embedder.away is None


async def test_a_server_with_too_much_to_do_has_nothing_against_the_text_and_is_not_away(
    replaced: tuple[Replaced, TeiEmbedder],
) -> None:
    server, embedder = replaced
    await embedder.start()
    server.status = 429
    with pytest.raises(EmbedderBusyError, match="status 429"):
        await embedder.embed_documents(["refused"])
    server.busy = True
    with pytest.raises(EmbedderBusyError, match="status 429"):
        await embedder.start()
    assert embedder.away is None


async def test_vectors_of_another_length_are_never_handed_out_as_the_same_models(
    replaced: tuple[Replaced, TeiEmbedder],
) -> None:
    server, embedder = replaced
    await embedder.embed_query("one")
    server.embedder = HashEmbedder(model="first", dimension=32)
    with pytest.raises(EmbedderError, match="32 numbers, and had 64 before"):
        await embedder.embed_query("two")
    assert (await embedder.embed_query("three")).shape == (32,)
    assert embedder.dimension == 32


@pytest.mark.parametrize(
    ("response", "says"),
    [
        (httpx2.Response(200, html="<h1>Welcome</h1>"), "it sent a web page"),
        (httpx2.Response(200, text="ok"), "its answer is not JSON"),
        (httpx2.Response(401), "refuses PILOTHOUSE_EMBEDDING_KEY"),
    ],
)
async def test_the_fault_says_what_was_seen(response: httpx2.Response, says: str) -> None:
    transport = httpx2.MockTransport(lambda _: response)
    async with httpx2.AsyncClient(transport=transport, base_url="http://tei") as client:
        with pytest.raises(EmbedderError, match=says):
            await TeiEmbedder(client, batch_size=8).start()
