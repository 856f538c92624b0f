"""Lists, search, limits and other people: what is stored, and who may see it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import jwt
import psycopg
import pytest

from integration.chat_ui.replicas import KEY, Browser, Json, Replica, replica, settings_for
from integration.chat_ui.scripted_query import ScriptedQuery, plain
from pilothouse_core.auth import Authenticator, Principal
from pilothouse_core.auth_settings import AuthSettings
from support.database import Database


async def get(browser: Browser, path: str, **parameters: str | int) -> Json:
    response = await browser.client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    body = response.json()
    assert isinstance(body, dict)
    return body


async def test_sessions_are_paged_last_changed_first(browser: Browser) -> None:
    made = [await browser.session(title=f"chat {n}") for n in range(5)]
    await browser.answer(made[0], "Up again?")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await get(browser, "/api/sessions", limit=2, **cursor)
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [made[0], *made[:0:-1]]


async def test_sessions_are_filtered_by_their_title_literally(browser: Browser) -> None:
    for title in ("100% green", "100 green", "Red"):
        await browser.session(title=title)
    assert [item["title"] for item in (await get(browser, "/api/sessions", q="100%"))["items"]] == [
        "100% green"
    ]
    assert [item["title"] for item in (await get(browser, "/api/sessions", q="rED"))["items"]] == ["Red"]


async def test_a_session_is_renamed_retargeted_and_deleted(browser: Browser) -> None:
    session = await browser.session(title="Old", collection="handbook")
    path = f"/api/sessions/{session}"
    renamed = (await browser.client.patch(path, json={"title": " New "})).json()
    assert (renamed["title"], renamed["collection"]) == ("New", "handbook")
    everything = (await browser.client.patch(path, json={"collection": None})).json()
    assert (everything["title"], everything["collection"]) == ("New", None)
    assert (await browser.client.delete(path)).status_code == 204
    for response in (await browser.client.get(path), await browser.client.delete(path)):
        assert (response.status_code, response.json()["code"]) == (404, "session_not_found")


async def test_a_long_session_is_read_in_pages_from_its_end(browser: Browser, database: Database) -> None:
    session = await browser.session(title="Long")
    with psycopg.connect(database.admin) as connection:
        connection.execute(
            """
            INSERT INTO chat.messages (id, session_id, owner, role, content)
            SELECT lpad(n::text, 32, '0')::uuid, %s, 'local',
                   CASE WHEN n %% 2 = 1 THEN 'user' ELSE 'assistant' END, 'message ' || n
            FROM generate_series(1, 500) n
            """,
            (session,),
        )
    path = f"/api/sessions/{session}/messages"
    whole = await get(browser, path, limit=500)
    assert [item["content"] for item in whole["items"]] == [f"message {n}" for n in range(1, 501)]
    assert whole["next_cursor"] is None
    newest = await get(browser, path)
    assert [newest["items"][0]["content"], newest["items"][-1]["content"]] == ["message 301", "message 500"]
    older = await get(browser, path, cursor=newest["next_cursor"])
    assert older["items"][-1]["content"] == "message 300"


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("feeder", "The feeder jams in winter."),
        ("jamming feed", "The feeder jams in winter."),
        ("送料机", "送料机在冬天会卡住。"),
        ("nạp", "Bộ nạp bị kẹt vào mùa đông."),
    ],
)
async def test_history_is_searched_in_any_language(
    browser: Browser, query: ScriptedQuery, q: str, found: str
) -> None:
    for text in ("The feeder jams in winter.", "送料机在冬天会卡住。", "Bộ nạp bị kẹt vào mùa đông."):
        query.scripts = [plain(text)]
        await browser.answer(await browser.session(title="Chat"), "Why?")
    (hit,) = (await get(browser, "/api/search", q=q))["items"]
    assert hit["snippet"] == found
    messages = await browser.messages(hit["session_id"])
    assert hit["message_id"] == messages[-1]["id"]


async def test_titles_are_searched_too_and_replaced_messages_are_not(browser: Browser) -> None:
    session = await browser.session(title="Winter trouble")
    await browser.answer(session, "Does the auger freeze?")
    first = (await browser.messages(session))[0]["id"]
    await browser.answer(session, "Why is it stiff?", replaces=first)
    (hit,) = (await get(browser, "/api/search", q="winter tr"))["items"]
    assert hit["session_id"] == session
    assert hit["message_id"] == (await browser.messages(session))[0]["id"]
    assert (await get(browser, "/api/search", q="auger"))["items"] == []
    assert (await get(browser, "/api/search", q="?!"))["items"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"content": " \\n "}', 422, "empty_question"),
        (b"{}", 422, "empty_question"),
        (b'{"content": "%s"}' % (b"x" * 20_001), 422, "question_too_long"),
        (b'{"content": "a\\u0000b"}', 422, "invalid_request"),
        (b'{"content": "a\\ud83d"}', 422, "invalid_request"),
        (b'{"content": 5}', 422, "invalid_request"),
        (b'{"content": "x", "collection": "No Such Name"}', 422, "invalid_request"),
        (b'{"content": ', 400, "malformed_json"),
        (b"\xff\xfe", 400, "malformed_json"),
        (b'{"replaces": "00000000-0000-7000-8000-000000000000"}', 404, "message_not_found"),
    ],
)
async def test_a_bad_question_is_refused_in_words(
    browser: Browser, body: bytes, status: int, code: str
) -> None:
    session = await browser.session()
    response = await browser.client.post(
        f"/api/sessions/{session}/messages", content=body, headers={"content-type": "application/json"}
    )
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert await browser.messages(session) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/api/sessions?cursor=nonsense", None, "invalid_cursor"),
        ("GET", "/api/sessions?limit=0", None, "invalid_request"),
        ("GET", "/api/sessions?q=a%00b", None, "invalid_request"),
        ("GET", "/api/search?q=a%00b", None, "invalid_request"),
        ("POST", "/api/sessions", {"title": "x" * 201}, "invalid_request"),
        ("POST", "/api/sessions", {"title": "a\x00b"}, "invalid_request"),
    ],
)
async def test_other_bad_input_is_refused(
    browser: Browser, method: str, path: str, body: Json | None, code: str
) -> None:
    response = await browser.client.request(method, path, json=body)
    assert (response.status_code, response.json()["code"]) == (422, code)


async def test_asking_in_a_session_that_is_not_there(browser: Browser) -> None:
    response = await browser.client.post(
        "/api/sessions/00000000-0000-7000-8000-000000000000/messages", json={"content": "Hello?"}
    )
    assert (response.status_code, response.json()["code"]) == (404, "session_not_found")


@dataclass(frozen=True, slots=True)
class People:
    ann: Browser
    bob: Browser
    nobody: Browser


def token_of(principal: Principal) -> dict[str, str]:
    return Authenticator(AuthSettings(mode="token", key=KEY)).headers(principal)


@pytest.fixture
async def guarded(database: Database, query_url: str) -> AsyncIterator[Replica]:
    """A replica that knows people apart."""
    async with replica(settings_for(database, query=query_url, token_mode=True)) as one:
        yield one


@pytest.fixture
async def people(guarded: Replica) -> AsyncIterator[People]:
    async with (
        guarded.browser(token_of(Principal("ann", ("ops",)))) as ann,
        guarded.browser(token_of(Principal("bob"))) as bob,
        guarded.browser() as nobody,
    ):
        yield People(ann, bob, nobody)


async def test_nobody_sees_or_changes_what_belongs_to_somebody_else(people: People) -> None:
    session = await people.ann.session(title="Private feeder")
    events = await people.ann.answer(session, "Where is the feeder?")
    answer = events[-1].data["message"]
    bob = people.bob.client
    assert (await get(people.bob, "/api/sessions"))["items"] == []
    assert (await get(people.bob, "/api/search", q="feeder"))["items"] == []
    for response in (
        await bob.get(f"/api/sessions/{session}"),
        await bob.patch(f"/api/sessions/{session}", json={"title": "Mine"}),
        await bob.delete(f"/api/sessions/{session}"),
        await bob.get(f"/api/sessions/{session}/messages"),
        await bob.post(f"/api/sessions/{session}/messages", json={"content": "Mine?"}),
        await bob.get(f"/api/runs/{answer['run_id']}/events"),
        await bob.post(f"/api/runs/{answer['run_id']}/stop"),
        await bob.post(f"/api/messages/{answer['id']}/feedback", json={"rating": "down"}),
    ):
        assert response.status_code == 404, response.text
    own = await people.bob.session()
    for field in ("replaces", "continues"):
        response = await bob.post(f"/api/sessions/{own}/messages", json={field: answer["id"]})
        assert (response.status_code, response.json()["code"]) == (404, "message_not_found")
    assert [message["id"] for message in await people.ann.messages(session)][-1] == answer["id"]


async def test_without_a_token_there_is_nothing(people: People) -> None:
    for path in ("/api/config", "/api/sessions", "/api/events", "/api/collections"):
        response = await people.nobody.client.get(path)
        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")


async def test_the_question_is_asked_in_the_persons_name(people: People, query: ScriptedQuery) -> None:
    await people.ann.answer(await people.ann.session(), "Where?")
    scheme, _, token = query.headers[0]["authorization"].partition(" ")
    assert scheme == "Bearer"
    claims = jwt.decode(token, KEY.get_secret_value(), algorithms=["HS256"], issuer="pilothouse")
    assert (claims["sub"], claims["groups"]) == ("ann", ["ops"])
