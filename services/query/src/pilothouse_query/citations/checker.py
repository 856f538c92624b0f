"""Checks the citations of an answer while it streams.

Text goes through as it comes. From the first `[n]`, or a possible end of sentence, until it
is clear that the sentence is over, it is held back; then the sentence is judged:

- a number that is not in the prompt, or whose passage has nothing to do with the sentence, goes;
- a sentence without a number that a passage clearly supports gets that number;
- a sentence that nothing supports is reported.

The result depends on the text alone, never on how it was cut into pieces.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pilothouse_query.citations.quoting import Quote
from pilothouse_query.citations.scanner import Kind, Scanner, Token
from pilothouse_query.citations.sentences import CLOSERS, DENSE_ENDS, SPACED_ENDS, closes_sentence
from pilothouse_query.citations.support import Judge, Level, Passage, Support, content_words

# Fewer content words ("Yes.", "Here you are:") claim nothing that could be checked.
MIN_CLAIM_WORDS = 2

_PREFIX = re.compile(r"^\s*(?:[-*+•>]\s+|\d{1,3}[.)]\s+|>\s*)*")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s")
_EDGE = "".join(CLOSERS | SPACED_ENDS | DENSE_ENDS)


@dataclass(frozen=True, slots=True)
class Cited:
    """Words that a number stands for: `start:end` within its passage's text."""

    n: int
    overlap: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known about an answer once it has ended. Spans are code points of `text`."""

    text: str
    citations: tuple[Cited, ...]
    sentences: int
    supported: int
    unsupported: tuple[tuple[int, int], ...]


class CitationChecker:
    """`feed` it the pieces of an answer and send on what it returns; then `finish`."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = {passage.n: passage.text for passage in passages}
        self._judge = Judge(passages)
        self._scanner = Scanner()
        self._sent: list[str] = []
        self._position = 0
        self._cited: list[Cited] = []
        self._sentences = 0
        self._supported = 0
        self._unsupported: list[tuple[int, int]] = []
        self._previous = ""
        self._start_sentence()

    def feed(self, text: str) -> str:
        """What may be shown now that `text` has come in."""
        before = len(self._sent)
        for character in text:
            for token in self._scanner.feed(character):
                self._take(token)
        return "".join(self._sent[before:])

    def finish(self) -> str:
        """What is left when the model has ended, or was cut off."""
        before = len(self._sent)
        for token in self._scanner.finish():
            self._take(token)
        self._end_sentence()
        self._release()
        return "".join(self._sent[before:])

    def say(self, text: str) -> str:
        """Adds words of the service's own, which are no claim."""
        self._send(text)
        return text

    def quote(self, text: str, quote: Quote) -> str:
        """Adds words of the service's own that show a quote with its number."""
        self._send(text)
        self._cited.append(Cited(quote.n, 1.0, quote.start, quote.end))
        return text

    def result(self) -> Checked:
        """The answer as it was sent, with what the check found."""
        return Checked(
            "".join(self._sent),
            tuple(self._joined()),
            self._sentences,
            self._supported,
            tuple(self._unsupported),
        )

    def _start_sentence(self) -> None:
        self._begin = self._position
        self._text = ""  # the sentence without markers
        self._held: list[Token] = []  # from the first marker or end mark on
        self._space: list[Token] = []  # white space whose side is not known yet
        self._ending = False  # an end mark was seen; what follows decides

    def _take(self, token: Token) -> None:
        if token.kind is Kind.BLOCK or token.kind is Kind.LINE:
            self._break(token)
        elif token.kind is Kind.TEXT and token.text.isspace():
            self._space.append(token)
        elif token.kind is Kind.MARKER:
            self._held += [*self._space, token]
            self._space = []
        else:
            self._take_text(token)

    def _break(self, token: Token) -> None:
        """A line end or a code block ends the sentence and belongs to none."""
        self._end_sentence()
        self._release()
        self._send(token.text)
        self._start_sentence()

    def _take_text(self, token: Token) -> None:
        """A visible character of prose, or inline code."""
        if self._ending and self._is_over(token):
            self._end_sentence()
            self._release()
        mark = token.kind is Kind.TEXT and token.text in SPACED_ENDS | DENSE_ENDS
        closer = self._ending and not self._space and token.kind is Kind.TEXT and token.text in CLOSERS
        self._text += "".join(space.text for space in self._space) + token.text
        if not self._text.strip(_EDGE + " "):
            mark = False
        if self._held or mark:
            self._held += [*self._space, token]
            self._space = []
        else:
            self._release()
            self._send(token.text)
        self._ending = mark or closer
        if self._held and not self._ending and not any(item.kind is Kind.MARKER for item in self._held):
            self._flush_held()

    def _is_over(self, token: Token) -> bool:
        """Whether the sentence that has an end mark is over, now that more came."""
        character = token.text[0]
        if not self._space:
            dense = self._text.rstrip("".join(CLOSERS))[-1:] in DENSE_ENDS
            marked = self._held[-1].kind is Kind.MARKER
            continues = character in CLOSERS or character in SPACED_ENDS | DENSE_ENDS
            return (dense or marked) and not continues
        return closes_sentence(self._text, character)

    def _flush_held(self) -> None:
        """The end mark was none (`3.5`, `e.g.`): what was held goes on as it is."""
        held, self._held = self._held, []
        for token in held:
            self._send(token.text)

    def _end_sentence(self) -> None:
        """Judges the sentence and sends what was held of it; the white space after it stays."""
        text = self._text.strip()
        if text or self._held:
            self._settle(text)
        space, begin = self._space, self._position
        self._previous = text or self._previous
        self._start_sentence()
        self._space, self._begin = space, begin

    def _release(self) -> None:
        space, self._space = self._space, []
        for token in space:
            self._send(token.text)

    def _settle(self, text: str) -> None:
        support = self._judge.judge(text or self._previous)
        claim = _is_claim(text)
        written = [n for token in self._held for n in token.numbers]
        kept = {n: self._keep(n, support, claim=claim) for n in written if n in self._passages}
        chosen = {n: instead for n, instead in kept.items() if instead}
        added = 0
        if claim and not chosen:
            best = _best(support)
            added = best.n if best is not None and best.level is Level.CLEAR else 0
        self._send_held(chosen, added)
        numbers = set(chosen.values()) | ({added} if added else set())
        for n in numbers:
            self._cited.append(Cited(n, support[n].overlap, support[n].start, support[n].end))
        if claim:
            self._count(supported=any(support[n].level >= Level.CITED for n in numbers))

    def _keep(self, n: int, support: dict[int, Support], *, claim: bool) -> int:
        """The number to show for one that the model wrote: itself, a right one, or 0 for none."""
        if support[n].level >= Level.CITED or not claim:
            return n
        best = _best(support)
        if best is not None and best.level is Level.CLEAR:
            return best.n
        return 0 if support[n].level is Level.UNRELATED else n

    def _send_held(self, chosen: dict[int, int], added: int) -> None:
        shown: set[int] = set()
        pieces: list[str] = []
        blank = ""  # white space taken away with a dropped marker; the marker right after it gets it
        end = len(self._held)
        if added:
            end = self._end_mark()
        for index, token in enumerate(self._held):
            if index == end:
                pieces.append(self._own_marker(added))
            if token.kind is not Kind.MARKER:
                pieces.append(token.text)
                blank = ""
                continue
            numbers = [chosen[n] for n in token.numbers if n in chosen and chosen[n] not in shown]
            numbers = list(dict.fromkeys(numbers))
            shown.update(numbers)
            if numbers:
                pieces.append(blank + "".join(f"[{n}]" for n in numbers))
                blank = ""
            elif pieces and pieces[-1].isspace():
                blank = pieces.pop()
        if added and end == len(self._held):
            pieces.append(self._own_marker(added))
        self._send("".join(pieces))

    def _end_mark(self) -> int:
        """Index in what is held of the end marks and closing quotes that end the sentence."""
        index = len(self._held)
        while index and (
            self._held[index - 1].kind is Kind.MARKER
            or (self._held[index - 1].kind is Kind.TEXT and self._held[index - 1].text in _EDGE)
            or self._held[index - 1].text.isspace()
        ):
            index -= 1
        return index

    def _own_marker(self, n: int) -> str:
        """Scripts without spaces take the number without one."""
        bare = self._text.rstrip(_EDGE + " ")
        return f"[{n}]" if bare and ord(bare[-1]) >= 0x2E80 else f" [{n}]"

    def _count(self, *, supported: bool) -> None:
        self._sentences += 1
        if supported:
            self._supported += 1
        else:
            self._unsupported.append((self._begin, self._position))

    def _joined(self) -> list[Cited]:
        """The evidence by number and place; pieces that overlap or follow each other are one."""
        joined: list[Cited] = []
        for cited in sorted(self._cited, key=lambda item: (item.n, item.start)):
            last = joined[-1] if joined else None
            if last and last.n == cited.n and not self._passages[last.n][last.end : cited.start].strip():
                overlap, end = max(last.overlap, cited.overlap), max(last.end, cited.end)
                joined[-1] = Cited(last.n, overlap, last.start, end)
            else:
                joined.append(cited)
        return joined

    def _send(self, text: str) -> None:
        if not text:
            return
        if self._position == self._begin:
            # White space is not part of the sentence that follows it.
            self._begin += len(text) - len(text.lstrip())
        self._sent.append(text)
        self._position += len(text)


def _best(support: dict[int, Support]) -> Support | None:
    return max(support.values(), key=lambda item: (item.level, item.overlap, -item.n), default=None)


def _is_claim(text: str) -> bool:
    """Whether a sentence says something that a passage could support."""
    bare = text.rstrip("".join(CLOSERS))
    if _HEADING.match(text) or bare.endswith((":", "：", "?", "？")) or text.startswith("|"):
        return False
    return len(content_words(_PREFIX.sub("", text))) >= MIN_CLAIM_WORDS
