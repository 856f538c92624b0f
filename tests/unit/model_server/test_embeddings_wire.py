"""The wire of the embedding server, with a scripted model in the place of ONNX Runtime."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import numpy as np
import pytest

from pilothouse_core.auth_settings import AuthSettings
from pilothouse_model_server.embeddings.app import create_app
from pilothouse_model_server.settings import EmbeddingsSettings, OnnxSettings
from support.embedding_model import ScriptedModel

KEY = "a-key-of-sixteen-characters"


@asynccontextmanager
async def served(
    model: ScriptedModel | None = None, auth: AuthSettings | None = None, **onnx: int
) -> AsyncIterator[httpx2.AsyncClient]:
    settings = EmbeddingsSettings(onnx=OnnxSettings(**onnx), auth=auth or AuthSettings())
    app = create_app(settings, model or ScriptedModel())
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(base_url="http://127.0.0.1", transport=transport) as client,
    ):
        yield client


async def embed(body: Any, path: str = "/embed", **onnx: int) -> httpx2.Response:
    async with served(None, None, **onnx) as client:
        return await client.post(path, json=body)


async def test_vectors_come_in_the_order_of_the_texts() -> None:
    response = await embed({"inputs": ["a b c", "b", "c d"], "normalize": False})
    assert response.json() == [[3, 97], [1, 98], [2, 99]]


async def test_a_single_text_is_a_list_of_one() -> None:
    assert (await embed({"inputs": "b", "normalize": False})).json() == [[1, 98]]


async def test_vectors_have_length_one_unless_it_is_not_wanted() -> None:
    vectors = np.array((await embed({"inputs": ["a b c", "b"]})).json())
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1])


async def test_a_text_that_is_too_long_is_cut_when_that_is_asked_for() -> None:
    long = "a b c d e f g"
    cut = await embed({"inputs": [long], "truncate": True, "normalize": False})
    assert cut.json() == [[5, 97]]
    refused = await embed({"inputs": [long]})
    assert (refused.status_code, refused.json()["error_type"]) == (422, "Validation")
    assert "at most 5 tokens" in refused.json()["error"]


@pytest.mark.parametrize(
    ("body", "status", "kind", "words"),
    [
        ({"inputs": []}, 400, "Empty", "Batch is empty"),
        ({"inputs": ""}, 400, "Empty", "cannot be empty"),
        ({"inputs": ["x"] * 9}, 422, "Validation", "batch size 9 > maximum allowed batch size 8"),
        ({"inputs": "x" * 101}, 422, "Validation", "101 characters > 100"),
        ({"inputs": "x", "dimensions": 3}, 422, "Validation", "at most 2"),
        ({"inputs": [[101, 102]]}, 422, "Validation", "token ids are not taken"),
        ({"inputs": 5}, 422, "Validation", "give a text"),
        ({}, 422, "Validation", "inputs"),
        ({"inputs": "x", "prompt_name": "query"}, 422, "Validation", "prompt_name"),
        ({"inputs": "x", "truncation_direction": "Left"}, 422, "Validation", "truncation_direction"),
    ],
)
async def test_a_refusal_has_teis_form(body: Any, status: int, kind: str, words: str) -> None:
    response = await embed(body, batch=8, characters=100)
    assert (response.status_code, response.json()["error_type"]) == (status, kind)
    assert words in response.json()["error"]


async def test_half_a_character_is_refused() -> None:
    async with served() as client:
        response = await client.post(
            "/embed", content=b'{"inputs": ["\\ud800"]}', headers={"content-type": "application/json"}
        )
    assert response.status_code == 422
    assert "lone surrogate" in response.json()["error"]


async def test_a_body_beyond_all_limits_is_not_read() -> None:
    assert (await embed({"inputs": "x" * 100_000}, characters=10)).status_code == 413


async def test_openais_form_gives_the_same_vectors() -> None:
    body = (await embed({"input": ["a b", "b"], "model": "x"}, "/v1/embeddings")).json()
    assert (body["object"], body["model"]) == ("list", "Tiny")
    assert body["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert [item["index"] for item in body["data"]] == [0, 1]
    packed = (await embed({"input": "b", "encoding_format": "base64"}, "/v1/embeddings")).json()
    vector = np.frombuffer(base64.b64decode(packed["data"][0]["embedding"]), dtype="<f4")
    assert vector.tolist() == pytest.approx(body["data"][1]["embedding"])


async def test_openais_form_of_a_refusal_is_teis_of_openais() -> None:
    response = await embed({"input": []}, "/v1/embeddings")
    assert response.status_code == 400
    assert response.json() == {"message": "Batch is empty", "code": 400, "error_type": "Empty"}


async def test_a_failing_model_shows_no_inner_words() -> None:
    async with served(ScriptedModel(error=RuntimeError("onnx: secret"))) as client:
        response = await client.post("/embed", json={"inputs": "x"})
    assert (response.status_code, response.json()["error_type"]) == (424, "Backend")
    assert "secret" not in response.text


async def test_limits_are_told_in_teis_form() -> None:
    async with served(batch=7, queue=3) as client:
        info = (await client.get("/info")).json()
        health = await client.get("/health")
    assert info["model_id"] == "Tiny"
    assert info["model_type"] == {"embedding": {"pooling": "mean"}}
    assert (info["max_input_length"], info["max_client_batch_size"], info["max_concurrent_requests"]) == (
        5,
        7,
        3,
    )
    assert (health.status_code, health.content) == (200, b"")


async def test_in_token_mode_only_embedding_wants_the_key() -> None:
    auth = AuthSettings(mode="token", api_keys=f"query:{KEY}")
    async with served(auth=auth) as client:
        refused = await client.post("/embed", json={"inputs": "x"})
        wrong = await client.post(
            "/embed", json={"inputs": "x"}, headers={"authorization": "Bearer a-key-that-nobody-has"}
        )
        known = await client.post("/embed", json={"inputs": "x"}, headers={"authorization": f"Bearer {KEY}"})
        open_to_all = [(await client.get(path)).status_code for path in ("/info", "/health", "/metrics")]
    assert (refused.status_code, wrong.status_code, known.status_code) == (401, 401, 200)
    assert refused.json()["error_type"] == "Validation"
    assert open_to_all == [200, 200, 200]


async def test_a_full_queue_answers_429_with_a_time_to_come_back() -> None:
    model = ScriptedModel()
    model.go.clear()
    async with served(model, queue=2) as client:
        tasks = [asyncio.create_task(client.post("/embed", json={"inputs": "x"})) for _ in range(2)]
        await asyncio.to_thread(model.began.wait, 30)
        refused = await client.post("/embed", json={"inputs": "x"})
        model.go.set()
        answers = await asyncio.gather(*tasks)
    assert (refused.status_code, refused.json()["error_type"]) == (429, "Overloaded")
    assert refused.headers["retry-after"] == "2"
    assert [answer.status_code for answer in answers] == [200, 200]
