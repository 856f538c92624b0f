"""HTML: what a reader sees, with headings, lists, tables and code; no scripts, no navigation."""

import re
from dataclasses import dataclass, field

from lxml import etree

from pilothouse_ingest.parsing.builder import DocumentBuilder, one_line
from pilothouse_ingest.parsing.decode import decode
from pilothouse_ingest.parsing.models import BlockKind, ParsedDocument, ParseError

_HIDDEN = frozenset(
    """
    audio button canvas datalist dialog embed head iframe nav noscript object script select style svg
    template video
    """.split()  # noqa: SIM905  a list of so many strings reads worse
)
_BLOCKS = frozenset(
    """
    address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form
    header hr html legend main menu ol p section summary ul
    """.split()  # noqa: SIM905  as above
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([a-zA-Z0-9_:.-]{2,40})""", re.I)
_BLANKS = re.compile(r"[^\S\n]*\n[^\S\n]*|[^\S\n]+")
_PRE = frozenset(("pre", "textarea", "listing", "xmp"))


def parse_html(data: bytes) -> ParsedDocument:
    """Reads a page as a browser would, however broken its tags. Raises `ParseError`."""
    declared = _CHARSET.search(data[:4096])
    text = decode(data, declared=declared[1].decode("ascii") if declared else None)
    # Encoded again, so that lxml cannot disagree about the charset.
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    root = etree.fromstring(text.encode(), parser) if text.strip() else None
    if root is None:
        raise ParseError("no_text_found", "The page holds no text.")
    walk = _Walk()
    walk.builder.title = _title(root)
    walk.read(root)
    return walk.builder.build()


def _title(root: etree._Element) -> str | None:
    found = root.find(".//title")
    if found is None:
        return None
    return one_line("".join(str(part) for part in found.itertext())) or None


def _is_hidden(element: etree._Element) -> bool:
    return (
        element.tag in _HIDDEN
        or element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or element.get("role") == "navigation"
    )


@dataclass(slots=True)
class _Table:
    rows: list[list[str]] = field(default_factory=list)
    caption: str = ""


@dataclass(slots=True)
class _Walk:
    """Walks the tree without recursion, as pages nest as deeply as they like."""

    builder: DocumentBuilder = field(default_factory=DocumentBuilder)
    inline: list[str] = field(default_factory=list)
    tables: list[_Table] = field(default_factory=list)
    lists: list[tuple[str, int]] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    marker: str = ""
    pre: int = 0
    kind: BlockKind = "paragraph"

    def read(self, root: etree._Element) -> None:
        skipped = 0
        for event, element in etree.iterwalk(root, events=("start", "end")):
            if event == "start":
                if skipped or _is_hidden(element):
                    skipped += 1
                    continue
                self.start(element)
                self.say(element.text)
            else:
                if skipped:
                    skipped -= 1
                else:
                    self.end(element)
                if not skipped and element is not root:
                    self.say(element.tail)
        self.flush()

    def say(self, text: str | None) -> None:
        if text:
            self.inline.append(text if self.pre else _BLANKS.sub(" ", text))

    def start(self, element: etree._Element) -> None:
        tag = str(element.tag)
        if tag == "br":
            self.inline.append("\n")
        elif tag == "img" and (alternative := one_line(element.get("alt") or "")):
            self.inline.append(f" {alternative} ")
        elif tag == "input" and element.get("type") not in ("hidden", "password") and element.get("value"):
            self.inline.append(f" {element.get('value')} ")
        elif tag in _PRE:
            self.break_block()
            self.pre += 1
        elif tag == "table":
            self.break_block()
            self.tables.append(_Table())
        elif tag == "tr" and self.tables:
            self.inline.clear()
            self.tables[-1].rows.append([])
        elif tag == "li":
            self.break_block()
            self.marker = self.next_marker()
        elif tag in _HEADINGS or tag in _BLOCKS:
            self.break_block()
            if tag in ("ul", "ol", "menu"):
                self.lists.append((tag, 0))

    def end(self, element: etree._Element) -> None:
        tag = str(element.tag)
        if tag in _HEADINGS:
            self.end_heading(_HEADINGS[tag])
        elif tag in _PRE:
            if not self.in_table:
                self.flush("code")
            self.pre -= 1
        elif tag in ("td", "th") and self.tables:
            self.end_cell()
        elif tag == "caption" and self.tables:
            self.tables[-1].caption = self.take()
        elif tag == "table" and self.tables:
            self.end_table(self.tables.pop())
        elif tag == "li" or tag in _BLOCKS:
            self.break_block()
            if tag in ("ul", "ol", "menu") and self.lists:
                self.lists.pop()
                if not self.lists:
                    self.flush_items()

    @property
    def in_table(self) -> bool:
        return bool(self.tables)

    def take(self) -> str:
        text = "".join(self.inline)
        self.inline.clear()
        return text if self.pre else "\n".join(filter(None, map(one_line, text.split("\n"))))

    def break_block(self) -> None:
        """A block begins or ends here: inside a table cell that is a blank, else a new block."""
        if self.in_table:
            self.inline.append(" ")
        else:
            self.flush()

    def flush(self, kind: BlockKind = "paragraph") -> None:
        text = self.take()
        if not text.strip():
            return
        if self.lists and kind == "paragraph":
            indent = "  " * (len(self.lists) - 1)
            self.items.append(f"{indent}{self.marker or '  '}{text}")
            self.marker = ""
            return
        self.flush_items()
        self.builder.add(kind, text)

    def flush_items(self) -> None:
        if self.items:
            self.builder.add("list", "\n".join(self.items))
            self.items.clear()

    def next_marker(self) -> str:
        if not self.lists:
            return "- "
        tag, count = self.lists.pop()
        self.lists.append((tag, count + 1))
        return f"{count + 1}. " if tag == "ol" else "- "

    def end_heading(self, level: int) -> None:
        if self.in_table:
            self.inline.append(" ")
            return
        self.flush_items()
        self.builder.heading(level, self.take())

    def end_cell(self) -> None:
        cell = one_line(self.take())
        if self.tables[-1].rows:
            self.tables[-1].rows[-1].append(cell)

    def end_table(self, table: _Table) -> None:
        rest = self.take()
        lines = [" | ".join(row) for row in table.rows if any(row)]
        if table.caption:
            lines.insert(0, table.caption)
        if rest.strip():
            lines.append(rest)
        if self.in_table:  # a table inside a cell becomes part of that cell
            self.inline.append(" " + " ".join(lines) + " ")
            return
        self.flush_items()
        self.builder.add("table", "\n".join(lines))
