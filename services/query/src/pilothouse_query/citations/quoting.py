"""Which words of a passage to show when the service itself quotes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pilothouse_core.embedding import Embedder
from pilothouse_query.citations.sentences import sentence_spans
from pilothouse_query.citations.support import Passage, content_words

QUOTE_CHARACTERS = 320
# Sentences compared with the question; embedding one takes milliseconds on a CPU.
MAX_COMPARED = 32
# Headings and fragments answer nothing.
MIN_SENTENCE_WORDS = 4


@dataclass(frozen=True, slots=True)
class Quote:
    """`text` is for showing, on one line; `start:end` is the exact place in the passage's text."""

    n: int
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Sentence:
    passage: Passage
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.passage.text[self.start : self.end]


async def closest_quotes(
    question: str, passages: Sequence[Passage], embedder: Embedder, *, count: int
) -> list[Quote]:
    """The sentences closest to a question, one per passage, closest first.

    Raises `EmbedderError`.
    """
    sentences = [sentence for passage in passages for sentence in _sentences(passage)][:MAX_COMPARED]
    if not sentences:
        return []
    asked = await embedder.embed_query(question)
    vectors = await embedder.embed_documents([sentence.text for sentence in sentences])
    words = content_words(question)
    scores = [
        float(vector @ asked) + _shared(words, sentence.text) / 2
        for vector, sentence in zip(vectors, sentences, strict=True)
    ]
    best: dict[int, _Sentence] = {}
    for _, sentence in sorted(zip(scores, sentences, strict=True), key=lambda pair: -pair[0]):
        best.setdefault(sentence.passage.n, sentence)
    return [_quote(sentence) for sentence in list(best.values())[:count]]


def _sentences(passage: Passage) -> list[_Sentence]:
    spans = [_Sentence(passage, start, end) for start, end in sentence_spans(passage.text)]
    long_enough = [span for span in spans if len(content_words(span.text)) >= MIN_SENTENCE_WORDS]
    return long_enough or spans[:1]


def _shared(words: frozenset[str], text: str) -> float:
    return len(words & content_words(text)) / len(words) if words else 0.0


def _quote(sentence: _Sentence) -> Quote:
    """The sentence, and what follows it as long as that is not too long to read."""
    text, start, end = sentence.passage.text, sentence.start, sentence.end
    for _, later in sentence_spans(text):
        if later > end and later - start <= QUOTE_CHARACTERS:
            end = later
    if end - start > QUOTE_CHARACTERS:
        end = _word_end(text, start, start + QUOTE_CHARACTERS)
    return Quote(sentence.passage.n, " ".join(text[start:end].split()), start, end)


def _word_end(text: str, start: int, end: int) -> int:
    """The last white space before `end`, so that no word is cut; `end` where there is none."""
    at = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
    return at if at > start else end
