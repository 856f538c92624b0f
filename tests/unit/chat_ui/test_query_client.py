"""Which refusals of the query service are worth asking again."""

import json
from datetime import timedelta

import httpx2
import pytest

from pilothouse_chat_ui.runs.answer import Part, Token
from pilothouse_chat_ui.runs.query_client import AnswerFailed, QueryClient
from pilothouse_core.auth import LOCAL, Authenticator
from pilothouse_core.auth_settings import AuthSettings

CHUNKS = [
    {"choices": [{"delta": {"content": "Yes."}}]},
    {"choices": [{"delta": {}, "finish_reason": "stop"}]},
]
STREAM = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in CHUNKS)


class Refusing:
    """A service that refuses the first question with this code, and answers the next."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.asked = 0

    def __call__(self, _: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        if self.asked == 1:
            return httpx2.Response(503, json={"error": {"code": self.code, "message": "Not now."}})
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=STREAM)


async def answer(service: Refusing) -> list[Part]:
    transport = httpx2.MockTransport(service)
    async with httpx2.AsyncClient(transport=transport, base_url="http://query") as http:
        client = QueryClient(http, Authenticator(AuthSettings()), retry=timedelta(seconds=30))
        parts = client.answer(LOCAL, collection=None, messages=[], request_id="r")
        return [part async for part in parts]


@pytest.mark.parametrize("code", ["database_unavailable", "embedding_unavailable", "rerank_failed"])
async def test_what_may_pass_in_a_moment_is_asked_again(code: str) -> None:
    service = Refusing(code)
    assert (await answer(service))[0] == Token("Yes.")
    assert service.asked == 2


@pytest.mark.parametrize(
    "code", ["database_not_migrated", "embedding_dimension_differs", "embedding_space_missing"]
)
async def test_what_lasts_until_somebody_repairs_it_is_told_at_once(code: str) -> None:
    service = Refusing(code)
    with pytest.raises(AnswerFailed, match=code):
        await answer(service)
    assert service.asked == 1
