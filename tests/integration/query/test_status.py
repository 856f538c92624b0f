"""Which model answers, and whether it does so now."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx2

from support.stack import free_port

Client = Callable[..., AbstractAsyncContextManager[httpx2.AsyncClient]]


async def test_the_model_is_named_while_its_server_answers(query: Client, model_url: str) -> None:
    async with query(model={"url": model_url}) as client:
        assert (await client.get("/v1/status")).json() == {"model": {"name": "scripted", "available": True}}


async def test_a_server_that_is_away_is_said_to_be(query: Client) -> None:
    async with query(model={"url": f"http://127.0.0.1:{free_port()}"}) as client:
        assert (await client.get("/v1/status")).json() == {"model": {"name": None, "available": False}}
