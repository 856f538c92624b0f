"""Splits streamed Markdown into text, code, line ends and citation markers, one character at a time.

Working by character makes the result independent of how the stream was cut into pieces.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

_WORD = (
    r"(?:sources?|passages?|documents?|docs?|references?|refs?|nguồn|đoạn|tài liệu|来源|资料|段落|文档|出典)"
)
_ITEM = rf"(?:{_WORD}\s*[:#]?\s*)?[#^]?\s*\d{{1,2}}"
_MARKER = re.compile(
    rf"\s*{_ITEM}(?:\s*(?:[,;&，、；]|and|và|和|-|–|~)\s*{_ITEM})*\s*(?:†[^】\]]*)?\s*", re.IGNORECASE
)
_RANGE = re.compile(r"(\d{1,2})\s*[-–~]\s*(\d{1,2})")
_SUFFIX = re.compile(r"†.*$")
_MAX_MARKER = 48
_CLOSING = {"[": "]", "【": "】", "［": "］"}


class Kind(Enum):
    """What a token is."""

    TEXT = "text"  # one character of prose
    CODE = "code"  # inline code: part of a sentence, nothing in it is a mark
    BLOCK = "block"  # a fenced code block: part of no sentence
    LINE = "line"  # a line end outside a code block
    MARKER = "marker"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the answer; `numbers` is what a marker cites, in order, each once."""

    kind: Kind
    text: str
    numbers: tuple[int, ...] = ()


def marker_numbers(inside: str) -> tuple[int, ...]:
    """The numbers of what stands in brackets, or none if it is not a citation."""
    if len(inside) > _MAX_MARKER or _MARKER.fullmatch(inside) is None:
        return ()
    text = _SUFFIX.sub("", inside)
    numbers: list[int] = []
    for first, last in _RANGE.findall(text):
        if int(first) < int(last) <= int(first) + 9:
            numbers.extend(range(int(first), int(last) + 1))
    numbers.extend(int(number) for number in re.findall(r"\d{1,2}", text))
    return tuple(sorted(dict.fromkeys(numbers))) if _RANGE.search(text) else tuple(dict.fromkeys(numbers))


class Scanner:
    """Feed it characters; it gives tokens as soon as they are certain."""

    def __init__(self) -> None:
        self._line = ""  # what the current line holds so far, to see fences at its beginning
        self._ticks = ""  # a run of ` or ~ whose length is not known yet
        self._inline = 0  # length of the run that opened inline code; 0 = none
        self._fence = ""  # the run that opened a code block
        self._bracket = ""  # an opened bracket that may become a marker
        self._last = ""

    def feed(self, character: str) -> Iterator[Token]:
        """The tokens that this character completes."""
        if self._fence:
            yield from self._in_block(character)
        elif self._ticks and character != self._ticks[0]:
            yield from self._after_ticks()
            yield from self.feed(character)
        elif character == "`" or (character == "~" and (self._ticks or not self._line.strip())):
            yield from self._give_up_bracket()
            self._ticks += character
        elif self._bracket:
            yield from self._in_bracket(character)
        else:
            yield from self._plain(character)

    def finish(self) -> Iterator[Token]:
        """What is left when the answer has ended."""
        if self._ticks:
            yield from self._after_ticks()
        if self._bracket:
            numbers = self._closed_numbers()
            if numbers:
                yield self._marker(numbers)
            else:
                yield from self._give_up_bracket()

    def _plain(self, character: str) -> Iterator[Token]:
        opens = character in _CLOSING and not self._inline and self._last != "\\"
        if opens:
            self._bracket = character
            return
        yield self._emit(character)

    def _emit(self, character: str) -> Token:
        self._last = character
        if character == "\n":
            self._line, self._inline = "", 0
            return Token(Kind.LINE, character)
        self._line += character
        return Token(Kind.CODE if self._inline else Kind.TEXT, character)

    def _after_ticks(self) -> Iterator[Token]:
        run, self._ticks = self._ticks, ""
        if len(run) >= 3 and not self._line.strip() and not self._inline:
            self._fence, self._line = run, ""
            yield Token(Kind.BLOCK, run)
            return
        if run[0] == "~":
            for character in run:
                yield self._emit(character)
            return
        self._line += run
        self._last = run[-1]
        closes = self._inline == len(run)
        if not self._inline:
            self._inline = len(run)
        elif closes:
            self._inline = 0
        yield Token(Kind.CODE, run)

    def _in_block(self, character: str) -> Iterator[Token]:
        yield Token(Kind.BLOCK, character)
        if character != "\n":
            self._line += character
            return
        line, self._line = self._line.strip(), ""
        self._last = character
        if len(line) >= len(self._fence) and set(line) == {self._fence[0]}:
            self._fence = ""

    def _in_bracket(self, character: str) -> Iterator[Token]:
        numbers = self._closed_numbers()
        if numbers:
            # [1](address) is a link whose text is a number.
            if character == "(" and self._bracket[0] == "[":
                yield from self._give_up_bracket()
            else:
                yield self._marker(numbers)
            yield from self.feed(character)
            return
        closed = self._bracket[-1] == _CLOSING[self._bracket[0]]
        if closed or character == "\n" or character in _CLOSING or len(self._bracket) > _MAX_MARKER:
            yield from self._give_up_bracket()
            yield from self.feed(character)
            return
        self._bracket += character

    def _closed_numbers(self) -> tuple[int, ...]:
        if self._bracket[-1:] != _CLOSING.get(self._bracket[:1]):
            return ()
        return marker_numbers(self._bracket[1:-1])

    def _marker(self, numbers: tuple[int, ...]) -> Token:
        text, self._bracket = self._bracket, ""
        self._line += text
        self._last = text[-1]
        return Token(Kind.MARKER, text, numbers)

    def _give_up_bracket(self) -> Iterator[Token]:
        text, self._bracket = self._bracket, ""
        for character in text:
            yield self._emit(character)
