"""Cuts a parsed document into passages that fit the embedding model.

A pure function of the text. What holds for every result, tested with random documents:

- `text[chunk.start:chunk.end] == chunk.text`, chunks are in order and do not overlap;
- every visible character of the text is in a chunk;
- no chunk has more tokens than asked for, in the model's own tokens;
- a heading stays with what follows it, code and tables that fit are not torn;
- the time is linear in the length of the text.

LangChain's text splitters give no exact offsets (they search for the stripped pieces
afterwards) and call the tokenizer once per candidate, so cutting is done here on an index
of token positions instead.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pilothouse_ingest.chunking.boundaries import best_cut
from pilothouse_ingest.chunking.tokens import TokenIndex, Tokenizer
from pilothouse_ingest.parsing.models import Block, ParsedDocument

_CHARACTERS_PER_TOKEN = 8  # a passage is never longer, even if the tokenizer sees one giant word
_SMALL_SHARE = 5  # a section smaller than a fifth of a passage may share it with the next one


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: `text[start:end]` in code points, without white space at its ends."""

    start: int
    end: int
    text: str
    heading: tuple[str, ...]
    token_count: int
    page: int | None = None


def chunk(document: ParsedDocument, tokenizer: Tokenizer, *, max_tokens: int) -> list[Chunk]:
    """The document's passages, each of at most `max_tokens` tokens."""
    text = document.text
    index = TokenIndex(text, tokenizer)
    pieces = list(_pieces(text, _gapless(document), index, max_tokens))
    spans = list(_pack(pieces, index, max_tokens))
    chunks = _measured(text, spans, tokenizer, max_tokens)
    if document.page_starts:
        starts = document.page_starts
        chunks = [replace(found, page=max(1, bisect_right(starts, found.start))) for found in chunks]
    return chunks


def _gapless(document: ParsedDocument) -> Iterator[Block]:
    """The blocks without white space at their ends, with what lies between them as paragraphs."""
    at = 0
    path: tuple[str, ...] = ()
    end_of_text = Block(len(document.text), len(document.text), "paragraph")
    for block in (*document.blocks, end_of_text):
        start = max(block.start, at)
        if (gap := _stripped(document.text, Block(at, start, "paragraph", path))) is not None:
            yield gap
        if (
            found := _stripped(document.text, replace(block, start=start, end=max(block.end, start)))
        ) is not None:
            yield found
        at = max(block.end, at)
        path = block.path


def _stripped(text: str, block: Block) -> Block | None:
    start, end = block.start, block.end
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return replace(block, start=start, end=end) if start < end else None


def _fits(index: TokenIndex, start: int, end: int, max_tokens: int) -> bool:
    return end - start <= max_tokens * _CHARACTERS_PER_TOKEN and index.count(start, end) <= max_tokens


def _pieces(text: str, blocks: Iterator[Block], index: TokenIndex, max_tokens: int) -> Iterator[Block]:
    """The blocks, those that are too large cut into pieces of about equal size."""
    for block in blocks:
        if _fits(index, block.start, block.end, max_tokens):
            yield block
            continue
        yield from _cut(text, block, index, max_tokens)


def _cut(text: str, block: Block, index: TokenIndex, max_tokens: int) -> Iterator[Block]:
    most_characters = max_tokens * _CHARACTERS_PER_TOKEN
    start = block.start
    while not _fits(index, start, block.end, max_tokens):
        token_limit = index.after(start, max_tokens)
        upper = min(start + most_characters, block.end, block.end if token_limit is None else token_limit)
        upper = max(upper, start + 1)
        # Equal pieces: 210 tokens become 105 + 105, not 200 + 10.
        rest = max(
            -(-index.count(start, block.end) // max_tokens), -(-(block.end - start) // most_characters), 1
        )
        share = max(1, (block.end - start) // rest)
        ideal = min(upper, start + share)
        lower = start + (ideal - start) // 2
        cut = best_cut(text, lower=lower, ideal=ideal, upper=upper, kind=block.kind)
        if (piece := _stripped(text, replace(block, start=start, end=cut))) is not None:
            yield piece
        start = cut
        while start < block.end and text[start].isspace():
            start += 1
    if start < block.end:
        yield replace(block, start=start)


def _pack(pieces: list[Block], index: TokenIndex, max_tokens: int) -> Iterator[Block]:
    """Joins neighbouring pieces of a section while they fit together."""
    small = max_tokens // _SMALL_SHARE
    current: list[Block] = []
    for piece in pieces:
        if current and not _belongs(current, piece, index, max_tokens, small):
            headings = _trailing_headings(current)
            if (
                headings
                and len(headings) < len(current)
                and _fits(index, headings[0].start, piece.end, max_tokens)
            ):
                yield _joined(current[: -len(headings)])
                current = headings
            else:
                yield _joined(current)
                current = []
        current.append(piece)
    if current:
        yield _joined(current)


def _belongs(current: list[Block], piece: Block, index: TokenIndex, max_tokens: int, small: int) -> bool:
    if not _fits(index, current[0].start, piece.end, max_tokens):
        return False
    if piece.kind != "heading" or all(block.kind == "heading" for block in current):
        return True
    # A new section begins a new passage, unless the one before would be a crumb.
    return index.count(current[0].start, current[-1].end) < small


def _trailing_headings(current: list[Block]) -> list[Block]:
    at = len(current)
    while at > 0 and current[at - 1].kind == "heading":
        at -= 1
    return current[at:]


def _joined(blocks: list[Block]) -> Block:
    """One span for neighbouring blocks, under the headings of its first text."""
    first_text = next((block for block in blocks if block.kind != "heading"), blocks[-1])
    return Block(blocks[0].start, blocks[-1].end, first_text.kind, first_text.path)


def _measured(text: str, spans: list[Block], tokenizer: Tokenizer, max_tokens: int) -> list[Chunk]:
    """The spans as chunks with their true token counts.

    A piece of a word may have other tokens than it had inside the word, so what grew too
    large by being cut is halved until it fits.
    """
    chunks: list[Chunk] = []
    counts = tokenizer.count_tokens([text[span.start : span.end] for span in spans])
    todo = list(zip(spans, counts, strict=True))[::-1]
    while todo:
        span, count = todo.pop()
        if count <= max_tokens or span.end - span.start == 1:
            chunks.append(Chunk(span.start, span.end, text[span.start : span.end], span.path, count))
            continue
        middle = (span.start + span.end) // 2
        cut = best_cut(
            text,
            lower=(span.start + middle) // 2,
            ideal=middle,
            upper=(middle + span.end + 1) // 2,
            kind=span.kind,
        )
        halves = [
            half
            for half in (
                _stripped(text, replace(span, start=span.start, end=cut)),
                _stripped(text, replace(span, start=cut)),
            )
            if half is not None
        ]
        sizes = tokenizer.count_tokens([text[half.start : half.end] for half in halves])
        todo.extend(list(zip(halves, sizes, strict=True))[::-1])
    return chunks
