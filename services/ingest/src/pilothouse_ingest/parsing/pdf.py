"""PDF by way of PDFium: text page by page, paragraphs by the gaps between lines, headings by size."""

import ctypes
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium

from pilothouse_ingest.parsing.builder import DocumentBuilder, one_line
from pilothouse_ingest.parsing.decode import clean
from pilothouse_ingest.parsing.models import ParsedDocument, ParseError

# PDFium writes a hyphen at a line's end as U+0002 or U+FFFE; both halves are one word.
_HYPHEN = re.compile(r"[\u0002\ufffe]\r?\n?")
_LINE = re.compile(r"[^\r\n]+")
_FILE_TITLE = re.compile(
    r"\.(?:docx?|pdf|tex|indd|xlsx?|pptx?|rtf|odt|html?|dvi)$|^microsoft word|^untitled|^\W*$", re.I
)
_HEADING_SCALE = 1.15  # a heading is at least this much larger than the text
_HEADING_LENGTH = 120
_GAP = 0.8  # of a line's height between two lines: a new paragraph
_LEVELS = 4


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    size: float
    top: float
    bottom: float


def parse_pdf(data: bytes) -> ParsedDocument:
    """The text layer. Raises `ParseError` when there is none or the file needs a password."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as exc:
        raise _cannot_open(exc) from exc
    try:
        if len(document) == 0:
            raise _damaged()
        title = _title(document)
        pages = [_read_page(document, number) for number in range(len(document))]
    finally:
        document.close()
    if not any(pages):
        raise ParseError(
            "no_text_found",
            f"The PDF has {len(pages)} {'page' if len(pages) == 1 else 'pages'} but no text: they are "
            "probably scanned images. Run text recognition (OCR) on the file and upload the result.",
        )
    builder = DocumentBuilder()
    builder.title = title
    levels = _heading_levels(pages)
    for lines in pages:
        builder.page()
        _add_page(builder, lines, levels)
    built = builder.build()
    # A first line set large is a worse title than the file's name as often as it is a better one.
    return ParsedDocument(built.text, built.blocks, built.page_starts, title)


def _title(document: pypdfium2.PdfDocument) -> str | None:
    title = one_line(clean(document.get_metadata_value("Title")))
    return title if 3 <= len(title) <= 200 and not _FILE_TITLE.search(title) else None


def _read_page(document: pypdfium2.PdfDocument, number: int) -> list[_Line]:
    try:
        page = document[number]
    except pypdfium2.PdfiumError:  # one broken page; the others are still worth reading
        return []
    try:
        textpage = page.get_textpage()
    except pypdfium2.PdfiumError:
        page.close()
        return []
    try:
        return list(_lines(textpage))
    finally:
        textpage.close()
        page.close()


def _lines(textpage: pypdfium2.PdfTextPage) -> Iterator[_Line]:
    if textpage.count_chars() <= 0:
        return
    raw = textpage.get_text_range(errors="replace")
    handle = textpage.raw
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    for match in _LINE.finditer(raw):
        text = match.group()
        offset = len(text) - len(text.lstrip())
        if offset == len(text):
            continue
        index = pdfium.FPDFText_GetCharIndexFromTextIndex(handle, match.start() + offset)
        size = pdfium.FPDFText_GetFontSize(handle, index) if index >= 0 else 0.0
        if index < 0 or not pdfium.FPDFText_GetCharBox(handle, index, left, right, bottom, top):
            yield _Line(text, size, 0.0, 0.0)
            continue
        yield _Line(text, top.value - bottom.value if size <= 1 else size, top.value, bottom.value)


def _heading_levels(pages: list[list[_Line]]) -> dict[float, int]:
    """Font sizes that headings are set in, largest first, against the size of most text."""
    weight: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            weight[round(line.size, 1)] += len(line.text)
    body = weight.most_common(1)[0][0] if weight else 0.0
    total = sum(weight.values())
    larger = sorted(
        (size for size, count in weight.items() if size >= body * _HEADING_SCALE and count < 0.2 * total),
        reverse=True,
    )
    return {size: min(level, _LEVELS) for level, size in enumerate(larger, start=1)} if body else {}


def _add_page(builder: DocumentBuilder, lines: list[_Line], levels: dict[float, int]) -> None:
    paragraph: list[str] = []

    def flush() -> None:
        builder.add("paragraph", _join(paragraph))
        paragraph.clear()

    heading: list[str] = []
    heading_level = 0
    previous: _Line | None = None
    for line in lines:
        level = levels.get(round(line.size, 1), 0)
        is_heading = bool(level) and len(line.text) <= _HEADING_LENGTH and any(map(str.isalpha, line.text))
        if heading and (not is_heading or level != heading_level or len(heading) == 3):
            builder.heading(heading_level, _join(heading))
            heading = []
        if is_heading:
            flush()
            heading.append(line.text)
            heading_level = level
        else:
            if previous is not None and _is_apart(previous, line):
                flush()
            paragraph.append(line.text)
        previous = line
    if heading:
        builder.heading(heading_level, _join(heading))
    flush()


def _is_apart(above: _Line, below: _Line) -> bool:
    gap = above.bottom - below.top
    return gap > _GAP * max(above.size, below.size, 1.0)


def _join(lines: list[str]) -> str:
    return _HYPHEN.sub("", "\n".join(line.strip(" \t") for line in lines))


def _cannot_open(exc: pypdfium2.PdfiumError) -> ParseError:
    if getattr(exc, "err_code", None) == pdfium.FPDF_ERR_PASSWORD or "password" in str(exc).lower():
        return ParseError(
            "password_protected",
            "The PDF is protected by a password. Save a copy without the password and upload that.",
        )
    return _damaged()


def _damaged() -> ParseError:
    return ParseError(
        "damaged_file",
        "The file is damaged or incomplete: it could not be opened as a PDF. "
        "Try to open it in a PDF reader, save it again and upload the new copy.",
    )
