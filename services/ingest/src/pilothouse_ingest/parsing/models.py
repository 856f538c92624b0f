"""What a parser makes of a file, and how it says that it could not.

ParseError                the file's own fault; trying again gives the same answer
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

BlockKind: TypeAlias = Literal["heading", "paragraph", "code", "table", "list"]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a document's structure: `text[start:end]`, in code points.

    `path` holds the headings that stand above it, outermost first; a heading's path ends
    with the heading itself.
    """

    start: int
    end: int
    kind: BlockKind
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """The extracted text and its structure.

    Blocks are in text order and do not overlap; they may leave text between them.
    `page_starts[i]` is the offset at which page i + 1 begins, None where there are no pages.
    """

    text: str
    blocks: tuple[Block, ...] = ()
    page_starts: tuple[int, ...] | None = None
    title: str | None = None


class ParseError(Exception):
    """The file cannot be turned into text. `detail` says why and what to do, for a person."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


def structure_to_json(document: ParsedDocument) -> dict[str, Any]:
    """Everything but the text, for the pipe between the processes.

    Paths are numbered: neighbouring blocks share them, and large documents have many blocks.
    """
    paths: dict[tuple[str, ...], int] = {}
    blocks = [
        [block.start, block.end, block.kind, paths.setdefault(block.path, len(paths))]
        for block in document.blocks
    ]
    return {
        "blocks": blocks,
        "paths": list(paths),
        "page_starts": document.page_starts,
        "title": document.title,
    }


def document_from_json(text: str, structure: dict[str, Any]) -> ParsedDocument:
    """The inverse of `structure_to_json`."""
    paths = [tuple(path) for path in structure["paths"]]
    pages = structure["page_starts"]
    return ParsedDocument(
        text=text,
        blocks=tuple(Block(start, end, kind, paths[path]) for start, end, kind, path in structure["blocks"]),
        page_starts=None if pages is None else tuple(pages),
        title=structure["title"],
    )
