"""Tokens for full-text search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse_core.lexical import (
    MAX_TOKEN,
    document_tokens,
    query_tokens,
    tsquery_literal,
    tsvector_literal,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Running runners", ["run", "runner"]),
        ("Chính sách nghỉ phép", ["chính", "sách", "nghỉ", "phép"]),
        ("日本語", ["日", "日本", "本", "本語", "語"]),
        ("API密钥", ["api", "密", "密钥", "钥"]),
        ("E-4017", ["e-4017", "e", "4017"]),
        ("database.targetTime", ["database.targettime", "databas", "target", "time"]),
        ("the server's port", ["the", "server", "port"]),
        ("... --- !!!", []),
    ],
)
def test_tokens_of_a_text(text: str, expected: list[str]) -> None:
    assert document_tokens(text) == expected


def test_a_mixed_question_keeps_both_scripts() -> None:
    tokens = query_tokens("How do I 重启 PostgreSQL?")
    assert "重启" in tokens
    assert "postgresql" in tokens
    assert "how" not in tokens


def test_common_words_stay_when_there_is_nothing_else() -> None:
    assert query_tokens("who are you") == ["who", "are", "you"]


def test_full_width_forms_are_the_same_token() -> None:
    assert document_tokens("ＡＰＩ") == document_tokens("API")


@given(st.text())
def test_every_token_of_a_question_is_found_in_the_same_text(text: str) -> None:
    assert set(query_tokens(text)) <= set(document_tokens(text))


@given(st.text(max_size=400))
def test_tokens_have_a_bounded_length_and_no_blanks(text: str) -> None:
    for token in document_tokens(text):
        assert 0 < len(token) <= MAX_TOKEN * 3  # lower-casing may lengthen a character
        assert not any(character.isspace() for character in token)


def test_literals_quote_what_postgres_would_read_as_syntax() -> None:
    assert tsvector_literal(["it's", "a\\b", "it's"]) == "'it''s':1,3 'a\\\\b':2"
    assert tsquery_literal(["a", "b'c"], "&") == "'a' & 'b''c'"
