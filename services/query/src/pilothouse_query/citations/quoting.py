"""Which words of a passage to show when the service itself quotes it."""

from dataclasses import dataclass

from pilothouse_query.citations.sentences import sentence_spans
from pilothouse_query.citations.support import Judge, Passage

QUOTE_CHARACTERS = 320


@dataclass(frozen=True, slots=True)
class Quote:
    """`text` is for showing, on one line; `start:end` is the exact place in the passage's text."""

    n: int
    text: str
    start: int
    end: int


def quote_for(question: str, passage: Passage) -> Quote:
    """The sentences of a passage that have most to do with a question, whole if they are not too long."""
    support = Judge([passage]).judge(question)[passage.n]
    start, end = support.start, support.end
    for _, later in sentence_spans(passage.text):
        if later > end and later - start <= QUOTE_CHARACTERS:
            end = later
    if end - start > QUOTE_CHARACTERS:
        end = _word_end(passage.text, start, start + QUOTE_CHARACTERS)
    return Quote(passage.n, " ".join(passage.text[start:end].split()), start, end)


def _word_end(text: str, start: int, end: int) -> int:
    """The last white space before `end`, so that no word is cut; `end` where there is none."""
    at = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
    return at if at > start else end
