"""reStructuredText: the source is the text; sections, literal blocks, lists and tables are found.

docutils would run directives (include, raw) of a stranger's file and refuse every role it
does not know, as Sphinx documents have them; reading the layout is enough to cut well.
"""

import re
from collections.abc import Iterator

from pilothouse_ingest.parsing.builder import HeadingPath, one_line
from pilothouse_ingest.parsing.decode import decode
from pilothouse_ingest.parsing.models import Block, BlockKind, ParsedDocument
from pilothouse_ingest.parsing.plain import PARAGRAPH

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1{2,}[ \t]*\Z")
_LIST = re.compile(r"(?:[-*+•]|\(?(?:\d+|[a-zA-Z#])[.)])[ \t]+\S")
_TABLE = re.compile(r"(?:\+[-=+]+\+|=+(?:[ \t]+=+)+)[ \t]*\Z")
_CODE_DIRECTIVE = re.compile(r"\.\.[ \t]+(?:code|code-block|sourcecode|literalinclude|parsed-literal)::")


def parse_rst(data: bytes) -> ParsedDocument:
    """Blocks by layout; heading levels are numbered in the order in which their adornments appear."""
    text = decode(data)
    blocks = tuple(_blocks(text))
    title = next((block.path[-1] for block in blocks if block.kind == "heading"), None)
    return ParsedDocument(text=text, blocks=blocks, title=title)


def _blocks(text: str) -> Iterator[Block]:
    headings = HeadingPath()
    levels: dict[str, int] = {}
    literal_follows = False
    for match in PARAGRAPH.finditer(text):
        start, end = text.rfind("\n", 0, match.start()) + 1, match.end()
        lines = text[start:end].split("\n")
        indented = lines[0][:1].isspace()
        heading = None if indented else _heading(lines)
        if heading is not None:
            style, title, count = heading
            level = levels.setdefault(style, len(levels) + 1)
            heading_end = start + sum(len(line) + 1 for line in lines[:count]) - 1
            yield Block(start, heading_end, "heading", headings.enter(level, title))
            start = heading_end + 1
            lines = lines[count:]
            if start >= end or not lines:
                literal_follows = False
                continue
        yield Block(start, end, _kind(lines, literal_follows and indented), headings.current)
        opens_literal = lines[-1].rstrip().endswith("::") or bool(_CODE_DIRECTIVE.match(lines[0]))
        literal_follows = opens_literal or (literal_follows and indented)


def _heading(lines: list[str]) -> tuple[str, str, int] | None:
    """Style, title and number of lines of a section title at the top of a paragraph."""
    if len(lines) >= 3 and _ADORNMENT.match(lines[0]) and _ADORNMENT.match(lines[2]):
        title = lines[1].strip()
        if lines[0].rstrip() == lines[2].rstrip() and title and not _TABLE.match(lines[0]):
            return "over" + lines[0][0], one_line(title), 3
    if len(lines) >= 2 and _ADORNMENT.match(lines[1]) and not _ADORNMENT.match(lines[0]):
        title = lines[0].strip()
        if len(lines[1].rstrip()) >= min(len(title), 4) and not _TABLE.match(lines[1]):
            return lines[1][0], one_line(title), 2
    return None


def _kind(lines: list[str], literal: bool) -> BlockKind:
    if literal or _CODE_DIRECTIVE.match(lines[0]):
        return "code"
    if _TABLE.match(lines[0].strip()):
        return "table"
    return "list" if _LIST.match(lines[0].lstrip()) else "paragraph"
