"""Where sentences end, in English, Vietnamese, Chinese, Japanese and Markdown."""

import re

SPACED_ENDS = frozenset(".!?…")
DENSE_ENDS = frozenset("。！？।｡")
CLOSERS = frozenset("\"'”’»)）」』*_")

# A full stop after these is part of the word.
_ABBREVIATIONS = frozenset(
    [
        "e.g", "i.e", "etc", "vs", "cf", "al", "fig", "figs", "eq", "eqs", "no", "nos", "vol", "pp", "p",
        "sec", "ch", "approx", "resp", "incl", "est", "dr", "mr", "mrs", "ms", "prof", "st", "jr", "sr",
        "inc", "ltd", "co", "corp", "dept", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept",
        "oct", "nov", "dec", "tp", "ths", "pgs", "ts", "bs",
    ]
)  # fmt: skip
_LAST_WORD = re.compile(r"[\w.]+$")
_LIST_NUMBER = re.compile(r"^[\s>]*(?:\d{1,3}|[A-Za-z])[.)]$")
_NEW_BLOCK = re.compile(r"[ \t]*(?:\r?\n|[-*+•>#|]|\d{1,3}[.)]\s)")


def closes_sentence(sentence: str, following: str) -> bool:
    """Whether a sentence is over, given its text up to and with the end mark and the closing
    quotes after it, and the first character after the white space that follows ("" = nothing)."""
    bare = sentence.rstrip("".join(CLOSERS))
    if not bare or bare[-1] not in SPACED_ENDS:
        return bool(bare) and bare[-1] in DENSE_ENDS
    if bare[-1] in "!?":
        return True
    if following.islower():
        return False
    if bare[-1] == "…" or bare.endswith(".."):
        return True
    if _LIST_NUMBER.match(bare):
        return False
    word = _LAST_WORD.search(bare[:-1])
    if word is None:
        return True
    name = word.group().lower().strip(".")
    initial = len(name) == 1 and name.isalpha() and word.group().isupper()
    return not (initial or name in _ABBREVIATIONS)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Code point spans of the sentences of a stored passage, without the white space around them.

    A line break inside a paragraph does not end a sentence (PDF text breaks lines anywhere);
    an empty line, a list item, a heading or a table row does.
    """
    spans: list[tuple[int, int]] = []
    start = index = 0
    while index < len(text):
        index += 1
        if _boundary(text, start, index):
            _add(spans, text, start, index)
            start = index
    _add(spans, text, start, len(text))
    return spans


def _boundary(text: str, start: int, end: int) -> bool:
    """Whether a sentence that begins at `start` is over before the character at `end`."""
    last = text[end - 1]
    if last == "\n":
        return _NEW_BLOCK.match(text, end) is not None or text[start:end].lstrip().startswith(("#", "|"))
    following = text[end : end + 1]
    if following in CLOSERS and following:
        return False
    if last in CLOSERS or last in SPACED_ENDS:
        if last in CLOSERS and text[start:end].rstrip("".join(CLOSERS))[-1:] in DENSE_ENDS:
            return True
        if following and not following.isspace():
            return False
        rest = text[end : end + 40].lstrip()
        return closes_sentence(text[start:end], rest[:1])
    return last in DENSE_ENDS and following not in DENSE_ENDS


def _add(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    if left < len(piece):
        spans.append((start + left, start + len(piece.rstrip())))
