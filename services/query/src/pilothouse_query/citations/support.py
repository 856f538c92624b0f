"""How well a passage supports a sentence, and which of its sentences do.

No model: overlap of content words, and what must not differ. A changed number, a name that
the passage does not know or a "not" on one side only means that it does not say the same.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from pilothouse_core.lexical import STOP_WORDS, document_tokens
from pilothouse_query.citations.sentences import sentence_spans

# Set on the answers of the evaluation sets: an answer's own words, with one word in three
# the writer's, still count as the passage's claim; a number given by the model needs less.
CLEAR_OVERLAP = 0.65
CITED_OVERLAP = 0.4
WINDOW_SENTENCES = 3
# A longer quote must explain that much more of the claim to be worth reading.
WINDOW_GAIN = 0.12

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<=[\w,;:)\]] )[A-Z][\w-]+")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|cannot|neither|nor|without|không|chưa|chẳng)\b|n['’]t\b|[不没沒未无無非]", re.I
)
_DENSE = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class Level(IntEnum):
    """How far a passage goes to support a sentence; a higher one is better."""

    UNRELATED = 0  # same language, no content word in common
    UNKNOWN = 1  # no content word in common, but it is another language
    WEAK = 2
    CITED = 3  # enough when the model itself gave the number
    CLEAR = 4  # enough for the service to give the number


@dataclass(frozen=True, slots=True)
class Passage:
    """What stands in the prompt under number `n`."""

    n: int
    text: str


@dataclass(frozen=True, slots=True)
class Support:
    """One passage's support for one sentence: `start:end` of its text is the part that speaks."""

    n: int
    level: Level
    overlap: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Words:
    content: frozenset[str]
    numbers: frozenset[str]
    negated: bool
    language: str  # "" when there is too little to tell


@dataclass(frozen=True, slots=True)
class _Evidence:
    passage: Passage
    spans: list[tuple[int, int]]
    sentences: list[_Words]
    whole: _Words


@lru_cache(maxsize=1024)
def _words(text: str) -> _Words:
    tokens = frozenset(document_tokens(text))
    function = frozenset(token for token in tokens if token in STOP_WORDS)
    pairs = any(len(token) == 2 and _DENSE.match(token) for token in tokens)
    content = frozenset(
        token
        for token in tokens - function
        # Single characters of a script without spaces coincide by chance; their pairs do not.
        if not (pairs and len(token) == 1 and _DENSE.match(token))
    )
    numbers = frozenset(_plain_number(match) for match in _NUMBER.findall(text))
    return _Words(content, numbers, _NEGATION.search(text) is not None, _language(text, function))


def _language(text: str, function: frozenset[str]) -> str:
    """Tells apart what the tokens can: scripts, and Vietnamese from other Latin text."""
    if _DENSE.search(text):
        return "dense"
    if any(not word.isascii() for word in function):
        return "vi"
    return "en" if function else ""


def _plain_number(text: str) -> str:
    """`1,000` and `1000` are the same; `2,5` and `2.5` too."""
    joined = re.sub(r"(?<=\d)[,.](?=\d{3}(?:\D|$))", "", text)
    return joined.replace(",", ".")


def content_words(text: str) -> frozenset[str]:
    """The words of a text that carry meaning."""
    return _words(text).content


class Judge:
    """Compares sentences of one answer with the passages of its prompt."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._evidence = [_read(passage) for passage in passages]

    def judge(self, sentence: str) -> dict[int, Support]:
        """The support of every passage for the sentence, by number."""
        claim = _words(sentence)
        names = frozenset(match.lower() for match in _NAME.findall(sentence))
        return {evidence.passage.n: _support(claim, names, evidence) for evidence in self._evidence}


def _read(passage: Passage) -> _Evidence:
    spans = sentence_spans(passage.text) or [(0, len(passage.text))]
    return _Evidence(
        passage, spans, [_words(passage.text[start:end]) for start, end in spans], _words(passage.text)
    )


def _support(claim: _Words, names: frozenset[str], evidence: _Evidence) -> Support:
    first, last, overlap = _best_window(claim, evidence)
    start, end = evidence.spans[first][0], evidence.spans[last][1]
    negated = any(words.negated for words in evidence.sentences[first : last + 1])
    return Support(
        n=evidence.passage.n,
        level=_level(claim, names, evidence, overlap, negated=negated),
        overlap=round(overlap, 4),
        start=start,
        end=end,
    )


def _level(
    claim: _Words, names: frozenset[str], evidence: _Evidence, overlap: float, *, negated: bool
) -> Level:
    if not claim.content & evidence.whole.content:
        same = claim.language and claim.language == evidence.whole.language
        return Level.UNRELATED if same else Level.UNKNOWN
    if overlap < CITED_OVERLAP or not claim.numbers <= evidence.whole.numbers or claim.negated != negated:
        return Level.WEAK
    text = evidence.passage.text.lower()
    if overlap < CLEAR_OVERLAP or any(name not in text for name in names):
        return Level.CITED
    return Level.CLEAR


def _best_window(claim: _Words, evidence: _Evidence) -> tuple[int, int, float]:
    """First and last sentence of the shortest run that explains most of the claim.

    Of two that explain as much, the one that says it the same way round: a heading has the
    words of the sentence below it, but not its "not".
    """
    best, agrees = (0, 0, 0.0), False
    wanted = claim.content | claim.numbers
    if not wanted:
        return best
    count = len(evidence.sentences)
    for size in range(1, min(WINDOW_SENTENCES, count) + 1):
        for first in range(count - size + 1):
            window = evidence.sentences[first : first + size]
            found = frozenset().union(*(words.content | words.numbers for words in window))
            overlap = len(wanted & found) / len(wanted)
            same = any(words.negated for words in window) == claim.negated
            gain = overlap - best[2] - (WINDOW_GAIN if size > 1 else 0)
            if gain > 0 or (gain == 0 and same and not agrees):
                best, agrees = (first, first + size - 1, overlap), same
    return best
