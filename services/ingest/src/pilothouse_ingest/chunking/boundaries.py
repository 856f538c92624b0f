"""Places at which a text may be cut, better ones first."""

import re
from functools import lru_cache

from pilothouse_ingest.parsing.models import BlockKind

# Each pattern's match ends where the next piece begins.
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_LINE = re.compile(r"\n\s*")
_ITEM = re.compile(r"\n(?=[^\S\n]{0,12}(?:[-*+•]|\d{1,4}[.)])[^\S\n])")
_SENTENCE = re.compile(r"[.!?…]['\"”’)\]]{0,3}\s+|[。！？｡][」』”’）]{0,3}\s*")
_CLAUSE = re.compile(r"[,;:]\s+|[，；：、､]\s*|\s[–—]\s")
_WORD = re.compile(r"\s+")
# Long words without blanks: addresses, paths, identifiers, encoded data.
_JOINT = re.compile(r"[/\\_\-.,;:&?=+|)\]}>]")
# A letter's accents and joined emoji stay with it.
_CLINGING = re.compile(
    r"[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0e31\u0e34-\u0e3a"
    r"\u0e47-\u0e4e\u200d\ufe00-\ufe0f\u20d0-\u20f0\U0001f3fb-\U0001f3ff]"
)

_PROSE = (_BLANK_LINE, _SENTENCE, _LINE, _CLAUSE, _WORD, _JOINT)
_LINES = (_BLANK_LINE, _LINE, _SENTENCE, _CLAUSE, _WORD, _JOINT)
_ITEMS = (_BLANK_LINE, _ITEM, _LINE, _SENTENCE, _CLAUSE, _WORD, _JOINT)


@lru_cache
def levels(kind: BlockKind) -> tuple[re.Pattern[str], ...]:
    """The kinds of boundaries inside a block, best first."""
    if kind == "list":
        return _ITEMS
    return _LINES if kind in ("code", "table") else _PROSE


def best_cut(text: str, *, lower: int, ideal: int, upper: int, kind: BlockKind) -> int:
    """An offset in `(lower, upper]`: the best kind of boundary there is, the one nearest to `ideal`.

    Looks at `text[lower:upper]` only, so cutting a text piece by piece stays linear.
    """
    for pattern in levels(kind):
        ends = [match.end() for match in pattern.finditer(text, lower, upper) if match.end() > lower]
        if ends:
            return min(ends, key=lambda end: abs(end - ideal))
    cut = upper
    while cut > lower + 1 and cut < len(text) and (_CLINGING.match(text[cut]) or text[cut - 1] == "\u200d"):
        cut -= 1
    return cut
