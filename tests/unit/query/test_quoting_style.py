"""Answers in the documents' own sentences: what may be said, and how a stopped one goes on."""

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from pilothouse_core.testing import HashEmbedder
from pilothouse_query.chat.prompt import Source
from pilothouse_query.chat.quoting_style import grammar, sayable, unsaid
from pilothouse_query.search.models import Hit

PORTS = """# Ports

Pilothouse listens on four ports. The chat page has port 8080.
The query service has port 8082.

- Another port is set with an environment variable.
"""
sentence = st.from_regex(r"[A-Z][a-z]{2,8}( [a-z]{2,8}){2,6}\.", fullmatch=True)


def source(text: str, n: int = 1) -> Source:
    hit = Hit(
        chunk_id=uuid4(),
        document_id=uuid4(),
        collection="handbook",
        title="Ports",
        text=text,
        start=0,
        end=len(text),
        page=None,
        heading=None,
        score=1.0,
        dense=0.8,
        lexical=1.0,
        coverage=1.0,
    )
    return Source(n, hit, text, 0, len(text))


async def test_the_closest_sentence_comes_first_and_what_follows_it_next() -> None:
    sentences = await sayable("Which port has the chat page?", [source(PORTS)], HashEmbedder())
    assert sentences[:2] == ["The chat page has port 8080.", "The query service has port 8082."]


async def test_headings_tables_and_fragments_are_never_said() -> None:
    text = "# Chat page port.\n\n| port | chat | page |\n\nchat page port\n\nYes.\n"
    assert await sayable("Which port has the chat page?", [source(text)], HashEmbedder()) == []


async def test_a_sentence_that_stands_in_two_passages_is_said_once() -> None:
    sentences = await sayable("chat page port", [source(PORTS, 1), source(PORTS, 2)], HashEmbedder())
    assert len(sentences) == len(set(sentences))


@given(st.lists(sentence, min_size=1, max_size=5, unique=True), st.data())
def test_a_stopped_answer_goes_on_to_its_very_end(sentences: list[str], data: st.DataObject) -> None:
    whole = " ".join(sentences)
    cut = data.draw(st.integers(0, len(whole)))
    said, left = whole[:cut], unsaid(sentences, whole[:cut])
    # What is left begins where the text broke off, or with the next whole sentence.
    assert (said + " ".join(left)).replace(" ", "") == whole.replace(" ", "")


def test_numbers_in_what_was_said_do_not_hide_a_sentence() -> None:
    assert unsaid(["The page has a port.", "It is 8080."], "The page has a port [2].") == ["It is 8080."]


def test_the_grammar_forces_the_first_sentence_and_quotes_what_it_must() -> None:
    assert grammar(['Say "x\\y".', "Then go.", "然后继续。"]) == (
        'root ::= "Say \\"x\\\\y\\"." (" Then go.")? ("然后继续。")?'
    )
