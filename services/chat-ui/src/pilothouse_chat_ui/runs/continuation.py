"""Going on with an answer that was stopped.

The new answer begins with the old text, so the numbers in it must keep their passages. The
query service numbers its passages from 1 again; here they get the old number where it is
the same passage, and a number after all old ones where it is not.
"""

import re
from collections.abc import Mapping

from pydantic import JsonValue

from pilothouse_chat_ui.messages.models import Json

_NUMBER = re.compile(r"\[(\d{1,3})\]")
_UNFINISHED_NUMBER = re.compile(r"\[\d{0,3}$")
# Part of a word of a script with spaces; what comes after it could be the word's rest.
_LAST_WORD = re.compile(r"(?<=\s)[^\W\d_\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+$")


def clean_break(text: str) -> str:
    """The text without a number or a word that may have been cut in the middle."""
    return _LAST_WORD.sub("", _UNFINISHED_NUMBER.sub("", text))


def merge_sources(old: list[Json], new: list[Json]) -> tuple[list[Json], dict[int, int]]:
    """All passages with unique numbers, and the number that each new one has got."""
    if not old:
        return new, {}
    merged = list(old)
    taken = {source["chunk_id"]: _int(source["n"]) for source in old}
    following = max(taken.values()) + 1
    numbers: dict[int, int] = {}
    for source in new:
        number = taken.get(source["chunk_id"])
        if number is None:
            number, following = following, following + 1
            merged.append({**source, "n": number})
        numbers[_int(source["n"])] = number
    return merged, numbers


class Renumbering:
    """Rewrites `[n]` in a stream of text, and keeps track of how far the text moved."""

    def __init__(self, numbers: Mapping[int, int], *, after_space: bool = False) -> None:
        self._numbers = {old: new for old, new in numbers.items() if old != new}
        self._strip = after_space
        self._held = ""
        self._read = 0
        # (position in the text as it came, by how much the text after it moved)
        self._moves: list[tuple[int, int]] = [(0, 0)]

    def feed(self, text: str) -> str:
        """As much of the text as cannot be the beginning of a number."""
        text = self._held + text
        self._held = ""
        if self._strip:
            stripped = text.lstrip()
            self._move(-(len(text) - len(stripped)), at=len(text) - len(stripped))
            self._read += len(text) - len(stripped)
            self._strip, text = not stripped, stripped
        if not self._numbers:
            self._read += len(text)
            return text
        unfinished = _UNFINISHED_NUMBER.search(text)
        if unfinished:
            self._held = text[unfinished.start() :]
            text = text[: unfinished.start()]
        return self._rewrite(text)

    def flush(self) -> str:
        """What was held back."""
        held, self._held = self._held, ""
        self._read += len(held)
        return held

    def citation(self, citation: Json) -> Json:
        """The citation under its new number."""
        number = _int(citation["n"])
        return {**citation, "n": self._numbers.get(number, number)}

    def grounding(self, grounding: Json | None, *, offset: int) -> Json | None:
        """The grounding with its spans moved to where their text is now, `offset` included."""
        if grounding is None:
            return None
        spans = grounding.get("unsupported")
        if not isinstance(spans, list):
            return grounding
        moved: list[JsonValue] = [
            {
                "start": self._moved(_int(span["start"])) + offset,
                "end": self._moved(_int(span["end"])) + offset,
            }
            for span in spans
            if isinstance(span, dict)
        ]
        return {**grounding, "unsupported": moved}

    def _rewrite(self, text: str) -> str:
        pieces: list[str] = []
        done = 0
        for match in _NUMBER.finditer(text):
            new = self._numbers.get(int(match[1]))
            if new is None:
                continue
            pieces += [text[done : match.start()], f"[{new}]"]
            done = match.end()
            self._move(len(f"[{new}]") - len(match[0]), at=match.end())
        self._read += len(text)
        return "".join([*pieces, text[done:]])

    def _move(self, by: int, *, at: int) -> None:
        if by:
            self._moves.append((self._read + at, self._moves[-1][1] + by))

    def _moved(self, position: int) -> int:
        moved = 0
        for at, by in self._moves:
            if at > position:
                break
            moved = by
        return max(0, position + moved)


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value
