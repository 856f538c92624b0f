"""Make the PDF and Word samples from the Markdown sources beside this file.

The other samples are plain text and are edited in place. The output is the same byte
for byte for the same sources and library versions, so a change shows in review as a
change of the source. Needs `reportlab` and `python-docx`.

    python tools/make_samples.py            # write into samples/
    python tools/make_samples.py --check    # say which files are not up to date
"""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import escape

from docx import Document
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate

SOURCES = Path(__file__).parent / "samples"
SAMPLES = Path(__file__).parent.parent / "samples"
AUTHOR = "The Pilothouse authors"
MADE = datetime(2026, 1, 1, tzinfo=UTC)

PAGE_BREAK = "<!-- page -->"


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph-level part of a source."""

    kind: Literal["title", "heading", "paragraph", "page"]
    text: str = ""


def read_blocks(source: str) -> Iterator[Block]:
    """Read the part of Markdown that the sources use: two levels of headings, paragraphs, page breaks."""
    for part in source.strip().split("\n\n"):
        text = " ".join(part.split())
        if text == PAGE_BREAK:
            yield Block("page")
        elif text.startswith("## "):
            yield Block("heading", text.removeprefix("## "))
        elif text.startswith("# "):
            yield Block("title", text.removeprefix("# "))
        else:
            yield Block("paragraph", text)


class BookmarkedHeading(Paragraph):
    """A heading that also appears in the outline of the PDF."""

    def __init__(self, text: str, style: ParagraphStyle, *, level: int, key: str) -> None:
        """Take plain text; `key` names the place in the file."""
        super().__init__(escape(text), style)
        self._outline = (text, key, level)

    def draw(self) -> None:
        """Note the place in the outline when reportlab has decided where the heading stands."""
        text, key, level = self._outline
        self.canv.bookmarkPage(key)
        self.canv.addOutlineEntry(text, key, level=level)
        super().draw()


BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=11, leading=14, spaceAfter=8)
HEADING = ParagraphStyle("heading", BODY, fontName="Helvetica-Bold", fontSize=14, leading=18, spaceBefore=10)
TITLE = ParagraphStyle("title", HEADING, fontSize=22, leading=28, spaceBefore=0, spaceAfter=14)


def render_pdf(blocks: list[Block]) -> bytes:
    """Lay the blocks out on A4 pages with an outline."""
    story: list[Flowable] = []
    for number, block in enumerate(blocks):
        match block.kind:
            case "page":
                story.append(PageBreak())
            case "title":
                story.append(BookmarkedHeading(block.text, TITLE, level=0, key=f"b{number}"))
            case "heading":
                story.append(BookmarkedHeading(block.text, HEADING, level=1, key=f"b{number}"))
            case "paragraph":
                story.append(Paragraph(escape(block.text), BODY))
    out = io.BytesIO()
    SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=28 * mm,
        rightMargin=28 * mm,
        topMargin=26 * mm,
        bottomMargin=26 * mm,
        title=blocks[0].text,
        author=AUTHOR,
        lang="en",
        invariant=1,  # no date and no random id in the file
    ).build(story)
    return out.getvalue()


def render_docx(blocks: list[Block]) -> bytes:
    """Write the blocks with Word's own heading styles."""
    document = Document()
    properties = document.core_properties
    properties.title, properties.author, properties.language = blocks[0].text, AUTHOR, "en"
    properties.created = properties.modified = MADE.replace(tzinfo=None)
    properties.comments = ""
    for block in blocks:
        match block.kind:
            case "page":
                continue  # Word lays out its own pages
            case "title":
                document.add_heading(block.text, level=1)
            case "heading":
                document.add_heading(block.text, level=2)
            case "paragraph":
                document.add_paragraph(block.text)
    out = io.BytesIO()
    document.save(out)
    return with_fixed_times(out.getvalue())


def with_fixed_times(archive: bytes) -> bytes:
    """Pack a zip again with one date, because python-docx stamps each part with the present time."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            part = zipfile.ZipInfo(name, MADE.timetuple()[:6])
            part.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(part, source.read(name))
    return out.getvalue()


RENDERERS: dict[str, Callable[[list[Block]], bytes]] = {".pdf": render_pdf, ".docx": render_docx}
TARGETS = {
    "uploading-documents": ".docx",
    "how-ingestion-works": ".pdf",
    "backup-and-restore": ".pdf",
    "choosing-a-model": ".docx",
}


def main() -> int:
    """Write the samples, or with `--check` compare them; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing, fail when a file is old")
    check = parser.parse_args().check
    stale = []
    for name, suffix in TARGETS.items():
        blocks = list(read_blocks((SOURCES / f"{name}.md").read_text(encoding="utf-8")))
        content, target = RENDERERS[suffix](blocks), SAMPLES / f"{name}{suffix}"
        if target.is_file() and target.read_bytes() == content:
            continue
        stale.append(target.name)
        if not check:
            target.write_bytes(content)
    if stale:
        sys.stdout.write(f"{'not up to date' if check else 'written'}: {', '.join(stale)}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
