"""What holds for every chunking, whatever the document."""

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse_core.embedding import TokenEstimator
from pilothouse_ingest.chunking.chunker import Chunk, chunk
from pilothouse_ingest.parsing.markdown import parse_markdown
from pilothouse_ingest.parsing.models import Block, BlockKind, ParsedDocument


class Words:
    """Counts like the core's estimator, the tokenizer that is always at hand."""

    def __init__(self) -> None:
        self._estimator = TokenEstimator()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._estimator.count(texts)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return self._estimator.offsets(text)


class Pairs:
    """A tokenizer that sees other tokens in a part of a text than in the whole."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) // 2 + 3 for text in texts]

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return [(at, at + 4) for at in range(0, len(text), 4)]


def assert_exact(document: ParsedDocument, chunks: list[Chunk], max_tokens: int) -> None:
    at = 0
    for found in chunks:
        assert document.text[found.start : found.end] == found.text
        assert found.text == found.text.strip()
        assert found.text
        assert found.start >= at
        assert not document.text[at : found.start].strip()
        assert found.token_count <= max_tokens
        at = found.end
    assert not document.text[at:].strip()


PIECES = st.sampled_from(
    [
        "word ",
        "Ein Satz. ",
        "\n\n",
        "\n",
        "   ",
        "漢字",
        "日本語。",
        "ไทย",
        "e\u0301",
        "👩‍👩‍👧",
        "a_b/c.d",
        "x" * 90,
        "- item\n",
        "| a | b |\n",
        "\u00a0",
        "\t",
        "🇻🇳",
        "def f(): pass\n",
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> ParsedDocument:
    text = "".join(draw(st.lists(PIECES | st.text(max_size=20), max_size=60)))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    kinds: st.SearchStrategy[BlockKind] = st.sampled_from(get_args(BlockKind))
    blocks = [
        Block(start, end, draw(kinds), ("Title",) if draw(st.booleans()) else ())
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    return ParsedDocument(text, tuple(blocks), page_starts=(0, len(text) // 2))


@pytest.mark.parametrize("tokenizer", [Words(), Pairs()], ids=["words", "pairs"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=documents(), max_tokens=st.integers(8, 60))
def test_chunks_are_exact_ordered_complete_and_small(
    tokenizer: Words | Pairs, document: ParsedDocument, max_tokens: int
) -> None:
    assert_exact(document, chunk(document, tokenizer, max_tokens=max_tokens), max_tokens)


@settings(max_examples=60, deadline=None)
@given(
    sections=st.lists(
        st.tuples(st.integers(1, 3), st.integers(1, 60), st.sampled_from(["text", "code"])), min_size=1
    )
)
def test_headings_stay_with_what_follows_and_code_that_fits_is_whole(
    sections: list[tuple[int, int, str]],
) -> None:
    parts = []
    for number, (level, words, kind) in enumerate(sections):
        body = " ".join(f"w{number}" for _ in range(words))
        parts.append(
            f"{'#' * level} Heading {number}\n\n" + (f"```\n{body}\n```" if kind == "code" else body)
        )
    document = parse_markdown("\n\n".join(parts).encode())
    tokenizer, max_tokens = Words(), 100
    chunks = chunk(document, tokenizer, max_tokens=max_tokens)
    blocks = document.blocks
    for block, following in pairwise(blocks):
        together = document.text[block.start : following.end]
        if block.kind == "heading" and tokenizer.count_tokens([together])[0] <= max_tokens:
            assert sum(found.start <= block.start and following.end <= found.end for found in chunks) == 1
    for block in blocks:
        whole = tokenizer.count_tokens([document.text[block.start : block.end]])[0] <= max_tokens
        if block.kind == "code" and whole:
            assert any(found.start <= block.start and block.end <= found.end for found in chunks)


def test_a_chunk_knows_its_headings_and_its_page() -> None:
    text = "Install\n\nRequirements\n\n" + "A long text. " * 30
    first, second = text.index("Install"), text.index("Requirements")
    document = ParsedDocument(
        text,
        (
            Block(first, first + 7, "heading", ("Install",)),
            Block(second, second + 12, "heading", ("Install", "Requirements")),
            Block(second + 14, len(text), "paragraph", ("Install", "Requirements")),
        ),
        page_starts=(0, 200),
    )
    chunks = chunk(document, Words(), max_tokens=60)
    assert {found.heading for found in chunks} == {("Install", "Requirements")}
    assert chunks[0].page == 1
    assert chunks[-1].page == 2


def test_pieces_of_a_long_paragraph_are_of_like_size() -> None:
    text = "One more sentence here. " * 45
    document = ParsedDocument(text.strip(), ())
    sizes = [found.token_count for found in chunk(document, Words(), max_tokens=100)]
    assert max(sizes) - min(sizes) < 40
    assert all(text.strip()[found.end - 1] == "." for found in chunk(document, Words(), max_tokens=100))


@pytest.mark.parametrize("unit", ["a", "汉", "0a/", "word "])
def test_time_is_linear_in_the_length_of_one_line(unit: str) -> None:
    def seconds(characters: int) -> float:
        text = unit * (characters // len(unit))
        document = ParsedDocument(text, (Block(0, len(text), "paragraph"),))
        started = time.process_time()
        chunks = chunk(document, Words(), max_tokens=200)
        spent = time.process_time() - started
        assert_exact(document, chunks, 200)
        return spent

    # Linear time is 10 times as long and quadratic time 100 times; the rest is noise.
    assert seconds(400_000) < 40 * max(seconds(40_000) for _ in range(3))
