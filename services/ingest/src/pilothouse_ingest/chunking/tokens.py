"""Where the tokens of a text lie, kept small enough for very long texts."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

_WINDOW = 65_536  # characters tokenised at once; a list of offsets costs 100 bytes a token
_BLANK_SEARCH = 1_000


class Tokenizer(Protocol):
    """The part of an embedder that counts (see `pilothouse_core.embedding.Embedder`)."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens not counted."""
        ...

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Code point spans of the text's tokens, in order."""
        ...


class TokenIndex:
    """Answers how many tokens begin in a span, and where the n-th next one begins."""

    def __init__(self, text: str, tokenizer: Tokenizer) -> None:
        parts: list[NDArray[np.int64]] = []
        start = 0
        while start < len(text):
            end = _window_end(text, start)
            spans = tokenizer.token_offsets(text[start:end])
            parts.append(np.fromiter((at for at, _ in spans), dtype=np.int64, count=len(spans)) + start)
            start = end
        self._starts = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    def count(self, start: int, end: int) -> int:
        """Tokens that begin in `text[start:end]`."""
        first, last = np.searchsorted(self._starts, (start, end))
        return int(last - first)

    def after(self, start: int, tokens: int) -> int | None:
        """Offset at which the token `tokens` further on begins; None when there are fewer."""
        index = int(np.searchsorted(self._starts, start)) + tokens
        return int(self._starts[index]) if index < len(self._starts) else None


def _window_end(text: str, start: int) -> int:
    """The end of a window, at a blank when there is one near, so that no word is cut."""
    end = start + _WINDOW
    if end >= len(text):
        return len(text)
    for at in range(end, end - _BLANK_SEARCH, -1):
        if text[at].isspace():
            return at
    return end
