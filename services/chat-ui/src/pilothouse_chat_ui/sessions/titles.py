"""Names for conversations, made from their first question."""

import unicodedata

MAX_CHARS = 60


def title_from(question: str) -> str:
    """The question on one line, cut at a word where that keeps most of it."""
    line = " ".join(question.split())
    if len(line) <= MAX_CHARS:
        return line
    cut = MAX_CHARS
    # Never between a character and the marks that belong to it.
    while cut > 0 and (unicodedata.combining(line[cut]) or "\u200d" in line[cut - 1 : cut + 1]):
        cut -= 1
    space = line.rfind(" ", MAX_CHARS // 2, cut + 1)
    return line[: space if space > 0 else cut].rstrip(" ,;:-–—") + "…"
