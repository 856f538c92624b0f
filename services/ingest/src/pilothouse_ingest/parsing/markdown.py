"""Markdown: the source is the text, so that code, tables and links stay as written.

Only front matter and HTML comments, which no reader sees, are taken out.
"""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from pilothouse_ingest.parsing.builder import HeadingPath, one_line
from pilothouse_ingest.parsing.decode import decode
from pilothouse_ingest.parsing.models import Block, BlockKind, ParsedDocument

_FRONT_MATTER = re.compile(
    r"\A\s*(?P<fence>---|\+\+\+)[ \t]*\n(?P<body>.*?)^(?P=fence)[ \t]*(?:\n|\Z)", re.S | re.M
)
_FRONT_TITLE = re.compile(r"^title[ \t]*[:=](?P<title>.*)$", re.M)
_FENCE = re.compile(r"^[ \t]{0,3}(?:```|~~~)")
_LINK = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_MARKUP = re.compile(r"\{[#:{][^}]*\}+|<[^>]+>|[*`]|(?<!\w)_+|_+(?!\w)")

_HEADING_SOURCE = 500  # characters of a heading line that are read

_KINDS: dict[str, BlockKind] = {
    "fence": "code",
    "code_block": "code",
    "table_open": "table",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
}


def parse_markdown(data: bytes) -> ParsedDocument:
    """Blocks by CommonMark's rules plus tables; the title is the front matter's or the first heading."""
    source = decode(data)
    body, title = _without_front_matter(source)
    text = _without_comments(body)
    if not text.strip():  # a page that is all front matter (a section's index) is still worth finding by it
        text = _without_comments(source)
    blocks = list(_blocks(text))
    if title is None:
        title = next((block.path[-1] for block in blocks if block.kind == "heading" and block.path), None)
    return ParsedDocument(text=text, blocks=tuple(blocks), title=title)


def _without_front_matter(text: str) -> tuple[str, str | None]:
    match = _FRONT_MATTER.match(text)
    if match is None:
        return text, None
    found = _FRONT_TITLE.search(match["body"])
    title = one_line(found["title"]) if found else ""
    if len(title) > 1 and title[0] == title[-1] and title[0] in "\"'":
        title = title[1:-1].strip()
    return text[match.end() :], title or None


def _without_comments(text: str) -> str:
    """The text without `<!-- … -->`, except inside code fences."""
    if "<!--" not in text:
        return text
    kept: list[str] = []
    fence: str | None = None
    commented = False
    for line in text.splitlines(keepends=True):
        if not commented and (match := _FENCE.match(line)):
            mark = match.group().strip()
            fence = mark if fence is None else (None if mark == fence else fence)
        if fence is not None:
            kept.append(line)
            continue
        visible, commented = _visible(line, commented)
        kept.append(visible)
    return "".join(kept)


def _visible(line: str, commented: bool) -> tuple[str, bool]:
    """What of a line stands outside comments, and whether one is still open at its end."""
    parts: list[str] = []
    at = 0
    while at < len(line):
        mark = "-->" if commented else "<!--"
        found = line.find(mark, at)
        if not commented:
            parts.append(line[at:] if found < 0 else line[at:found])
        if found < 0:
            break
        commented = not commented
        at = found + len(mark)
    visible = "".join(parts)
    if commented and not visible.endswith("\n"):
        visible += "\n" if visible.strip() else ""
    return visible, commented


def _blocks(text: str) -> Iterator[Block]:
    # The inline rules would read every link and emphasis; only the block structure is needed.
    parser = MarkdownIt("commonmark").enable("table").disable("inline")
    # markdown-it counts lines by \n alone, as the text after `clean` has them.
    starts = [0]
    for match in re.finditer("\n", text):
        starts.append(match.end())
    starts.append(len(text))
    headings = HeadingPath()
    tokens = parser.parse(text)
    for index, token in enumerate(tokens):
        if token.level or token.map is None:
            continue
        start = starts[token.map[0]]
        end = starts[min(token.map[1], len(starts) - 1)]
        stripped = text[start:end].rstrip()
        if not stripped.strip():
            continue
        end = start + len(stripped)
        if token.type == "heading_open":
            path = headings.enter(int(token.tag[1:]), _heading_text(tokens[index + 1]))
            yield Block(start, end, "heading", path)
        else:
            yield Block(start, end, _KINDS.get(token.type, "paragraph"), headings.current)


def _heading_text(inline: Token) -> str:
    # Cut first: the patterns are quadratic on lines such as `[[[[[…`.
    return one_line(_MARKUP.sub("", _LINK.sub(r"\1", inline.content[:_HEADING_SOURCE])))
