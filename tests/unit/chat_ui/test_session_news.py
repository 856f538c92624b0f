"""Which changes of a person's sessions are told."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pilothouse_chat_ui.events.watching import changes, missed
from pilothouse_chat_ui.sessions.models import Session
from pilothouse_chat_ui.sse import Event

START = datetime(2026, 1, 1, tzinfo=UTC)


def session(n: int, *, minute: int | None = None) -> Session:
    time = START + timedelta(minutes=n if minute is None else minute)
    return Session(UUID(int=n), "ann", f"chat {n}", None, time, time, None)


def window(*sessions: Session) -> dict[UUID, Session]:
    newest = sorted(sessions, key=lambda one: one.updated_at, reverse=True)
    return {one.id: one for one in newest}


def told(events: list[Event]) -> list[tuple[int, bool]]:
    bodies = [json.loads(event.data) for event in events]
    return [(UUID(body["id"]).int, body["deleted"]) for body in bodies]


def test_new_and_changed_sessions_are_told_oldest_first() -> None:
    before = window(session(1), session(2))
    now = window(session(1, minute=9), session(2), session(3))
    assert told(changes(before, now, full=False)) == [(3, False), (1, False)]


def test_a_new_title_is_told() -> None:
    renamed = replace(session(1), title="other")
    assert told(changes(window(session(1)), window(renamed), full=False)) == [(1, False)]


def test_a_deleted_session_is_told() -> None:
    assert told(changes(window(session(1), session(2)), window(session(2)), full=False)) == [(1, True)]


def test_a_session_that_slid_out_of_the_window_is_not_deleted() -> None:
    before = window(session(1), session(2))
    assert told(changes(before, window(session(2), session(3)), full=True)) == [(3, False)]


def test_a_session_deleted_out_of_a_full_window_is_told() -> None:
    before = window(session(2), session(3))
    assert told(changes(before, window(session(1), session(3)), full=True)) == [(1, False), (2, True)]


def test_what_was_missed_comes_first_after_connecting_again() -> None:
    last_seen = round((START + timedelta(minutes=1)).timestamp() * 1_000_000)
    assert [one.id.int for one in missed(window(session(1), session(2), session(3)), last_seen)] == [2, 3]
    assert missed(window(session(1)), None) == []
