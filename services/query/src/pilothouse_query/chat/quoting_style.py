"""Answers in the documents' own sentences, for models too small to write (style `quote`).

The sentences closest to the question are chosen here; a grammar lets the model say only
those, and leaves to it which of them to say after the first. So even a tiny model gives
fluent answers whose every sentence has its source. llama.cpp reads such grammars (GBNF).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pilothouse_core.embedding import Embedder
from pilothouse_query.chat.prompt import Source
from pilothouse_query.citations.sentences import CLOSERS, DENSE_ENDS, SPACED_ENDS, sentence_spans
from pilothouse_query.citations.support import content_words

# Sentences compared with the question; embedding one takes milliseconds on a CPU.
MAX_COMPARED = 48
MAX_CHARACTERS = 320
# Headings and fragments answer nothing.
MIN_WORDS = 3
# A sentence explains the one before it oftener than a sentence elsewhere does.
FOLLOWING = 2
OTHERS = 2
# How close to the best one another sentence must be to be offered too.
NEARLY_AS_GOOD = 0.8
WORDS_SHARE = 0.3

_LIST_MARK = re.compile(r"^(?:[-*+•>]\s+|\d{1,3}[.)]\s+)+")
_NOT_PROSE = re.compile(r"^(?:#{1,6}\s|\||```|~~~|[=\-*~^]{3,})")
_MARKER = re.compile(r"\s?\[\d{1,2}\]")


@dataclass(frozen=True, slots=True)
class _Candidate:
    source: Source
    place: int  # which sentence of its passage
    text: str


async def sayable(question: str, sources: Sequence[Source], embedder: Embedder) -> list[str]:
    """The sentences that an answer may be made of, the most fitting first, each on one line.

    Raises `EmbedderError`.
    """
    candidates = [candidate for source in sources for candidate in _candidates(source)][:MAX_COMPARED]
    if not candidates:
        return []
    asked = await embedder.embed_query(question)
    vectors = await embedder.embed_documents(
        [
            f"{candidate.source.hit.heading or candidate.source.hit.title}: {candidate.text}"
            for candidate in candidates
        ]
    )
    words = content_words(question)
    scored = [
        (float(vector @ asked) + WORDS_SHARE * _shared(words, candidate.text), candidate)
        for vector, candidate in zip(vectors, candidates, strict=True)
    ]
    scored.sort(key=lambda pair: -pair[0])
    highest, best = scored[0]
    following = [
        candidate
        for candidate in candidates
        if candidate.source is best.source and 0 < candidate.place - best.place <= FOLLOWING
    ]
    others = [candidate for score, candidate in scored[1:] if score >= NEARLY_AS_GOOD * highest]
    return list(dict.fromkeys(item.text for item in [best, *following, *others[:OTHERS]]))


def unsaid(sentences: Sequence[str], said: str) -> list[str]:
    """What is left of the sentences when a stopped answer goes on: the rest of the one it broke
    off in, then those it has not said."""
    said = _MARKER.sub("", said)
    left = [sentence for sentence in sentences if sentence not in said]
    begun = [_begun(sentence, said) for sentence in left]
    if any(begun):
        # Sentences may begin alike; it broke off in one of them only.
        broken = begun.index(max(begun))
        left[broken] = left[broken][begun[broken] :]
    return left


def _begun(sentence: str, said: str) -> int:
    """How many characters of a sentence stand at the very end of what was said."""
    return max((n for n in range(1, len(sentence)) if said.endswith(sentence[:n])), default=0)


def grammar(sentences: Sequence[str]) -> str:
    """GBNF for the first sentence and, in this order, any of the others."""
    first, *rest = sentences
    return f"root ::= {_literal(first)}" + "".join(f" ({_literal(_gap(text) + text)})?" for text in rest)


def _gap(text: str) -> str:
    """What stands between two sentences: nothing in scripts without spaces."""
    return "" if ord(text[0]) >= 0x2E80 else " "


def _candidates(source: Source) -> list[_Candidate]:
    found = []
    for place, (start, end) in enumerate(sentence_spans(source.text)):
        text = _LIST_MARK.sub("", " ".join(source.text[start:end].split()))
        if _is_sentence(text):
            found.append(_Candidate(source, place, text))
    return found


def _is_sentence(text: str) -> bool:
    bare = text.rstrip("".join(CLOSERS))
    return (
        len(text) <= MAX_CHARACTERS
        and bare[-1:] in SPACED_ENDS | DENSE_ENDS
        and not _NOT_PROSE.match(text)
        and len(content_words(text)) >= MIN_WORDS
    )


def _shared(words: frozenset[str], text: str) -> float:
    return len(words & content_words(text)) / len(words) if words else 0.0


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
