"""Puts a document's text together block by block, keeping offsets and headings."""

from pilothouse_ingest.parsing.decode import clean
from pilothouse_ingest.parsing.models import Block, BlockKind, ParsedDocument

_HEADING_LENGTH = 200  # characters of a heading that are kept in paths


class HeadingPath:
    """The headings above the current place."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []
        self.current: tuple[str, ...] = ()

    def enter(self, level: int, title: str) -> tuple[str, ...]:
        """Closes headings of this level and below, opens this one, returns the new path."""
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        self._open.append((level, title[:_HEADING_LENGTH]))
        self.current = tuple(title for _, title in self._open if title)
        return self.current


class DocumentBuilder:
    """Collects blocks, separated by a blank line each."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._pages: list[int] = []
        self._headings = HeadingPath()
        self.title: str | None = None
        self.first_heading: str | None = None

    def page(self) -> None:
        """The next block begins a new page."""
        self._pages.append(self._length + (2 if self._parts else 0))

    def add(self, kind: BlockKind, text: str) -> None:
        """Adds a block; empty ones are left out."""
        text = clean(text)
        text = text.strip("\n") if kind in ("code", "table") else text.strip()
        if not text.strip():
            return
        self._append(kind, text, self._headings.current)

    def heading(self, level: int, text: str) -> None:
        """Adds a heading; what follows stands below it."""
        text = one_line(clean(text))
        if not text:
            return
        if self.first_heading is None:
            self.first_heading = text
        self._append("heading", text, self._headings.enter(level, text))

    def _append(self, kind: BlockKind, text: str, path: tuple[str, ...]) -> None:
        if self._parts:
            self._parts.append("\n\n")
            self._length += 2
        self._blocks.append(Block(self._length, self._length + len(text), kind, path))
        self._parts.append(text)
        self._length += len(text)

    def build(self) -> ParsedDocument:
        """The document so far. A page that begins at the very end of the text is kept there."""
        pages = tuple(min(start, self._length) for start in self._pages) if self._pages else None
        return ParsedDocument(
            text="".join(self._parts),
            blocks=tuple(self._blocks),
            page_starts=pages,
            title=self.title or self.first_heading,
        )


def one_line(text: str) -> str:
    """The text with every run of white space made one blank."""
    return " ".join(text.split())
