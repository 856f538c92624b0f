"""Titles, snippets, cursors, and text on its way into PostgreSQL."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse_chat_ui.history.snippets import LENGTH, snippet
from pilothouse_chat_ui.history.tokens import search_query
from pilothouse_chat_ui.paging import decode_id_cursor, decode_time_cursor, encode_cursor
from pilothouse_chat_ui.sessions.repository import like_pattern
from pilothouse_chat_ui.sessions.titles import MAX_CHARS, title_from
from pilothouse_chat_ui.text import clean
from pilothouse_core.problem import Problem


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("  How do I\n reset it? ", "How do I reset it?"),
        (
            "How do I put the feeder back into service after an emergency stop?",
            "How do I put the feeder back into service after an emergency…",
        ),
        ("配" * 80, "配" * 60 + "…"),
        ("e\u0301" * 40, "e\u0301" * 30 + "…"),
    ],
)
def test_a_title_is_cut_where_it_can_be_read(question: str, title: str) -> None:
    assert title_from(question) == title


@given(st.text(min_size=1))
def test_a_title_fits(question: str) -> None:
    title = title_from(question)
    assert len(title) <= MAX_CHARS + 1
    assert "\n" not in title


def test_a_snippet_shows_the_word_in_its_surroundings() -> None:
    text = "Before. " * 40 + "The feeder jams when it is cold. " + "After. " * 40
    shown = snippet(text, ["feeder"])
    assert "The feeder jams" in shown
    assert shown.startswith("…")
    assert shown.endswith("…")


@given(st.text(), st.lists(st.text(min_size=1, max_size=8), max_size=3))
def test_a_snippet_is_short_whatever_it_is_made_from(text: str, words: list[str]) -> None:
    assert len(snippet(text, words)) <= LENGTH + 2


def test_the_last_word_may_be_unfinished() -> None:
    query, words = search_query("green feed")
    assert words == ["green", "feed"]
    assert query == "'green' & 'feed':*"


def test_nothing_to_search_for_is_an_empty_query() -> None:
    assert search_query("?!") == ("", [])


def test_patterns_are_literal() -> None:
    assert like_pattern(r"50%_\o/") == r"%50\%\_\\o/%"


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_is_read_back(time: datetime, key: UUID) -> None:
    assert decode_time_cursor(encode_cursor(time, key)) == (time, key)
    assert decode_id_cursor(encode_cursor(key)) == key


@given(st.text(max_size=60))
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    for decode in (decode_id_cursor, decode_time_cursor):
        with pytest.raises(Problem, match="invalid_cursor"):
            decode(cursor)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(json_values)
def test_cleaned_json_can_be_stored(value: object) -> None:
    cleaned = str(clean(value))  # type: ignore[arg-type]  # any JSON, which hypothesis does not type
    assert "\x00" not in cleaned
    cleaned.encode()


def test_cleaning_keeps_offsets() -> None:
    assert clean({"a": ["x\x00y\ud83dz"]}) == {"a": ["x\ufffdy\ufffdz"]}
