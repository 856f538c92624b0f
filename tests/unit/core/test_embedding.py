"""The embedder port: the fake, the local model and a TEI server behave alike."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi import FastAPI

from pilothouse_core.embedding import Embedder, EmbedderError, TeiEmbedder, open_embedder
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
