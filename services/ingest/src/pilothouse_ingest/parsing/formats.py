"""The formats that can be read: media types, file name endings, parsers."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from pilothouse_ingest.parsing.models import ParsedDocument, ParseError

PLAIN = "text/plain"
MARKDOWN = "text/markdown"
RST = "text/x-rst"
HTML = "text/html"
PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

EXTENSIONS: dict[str, str] = {
    ".txt": PLAIN,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".rst": RST,
    ".html": HTML,
    ".htm": HTML,
    ".pdf": PDF,
    ".docx": DOCX,
}

# Module and function; imported when first needed, so that the API never loads PDFium.
_PARSERS = {
    PLAIN: ("plain", "parse_plain"),
    MARKDOWN: ("markdown", "parse_markdown"),
    RST: ("rst", "parse_rst"),
    HTML: ("html", "parse_html"),
    PDF: ("pdf", "parse_pdf"),
    DOCX: ("docx", "parse_docx"),
}


def parse(data: bytes, media_type: str) -> ParsedDocument:
    """Extracts text and structure. Raises `ParseError`, also when there is no text in it."""
    module, function = _PARSERS[media_type]
    parser = cast(
        "Callable[[bytes], ParsedDocument]",
        getattr(import_module(f"pilothouse_ingest.parsing.{module}"), function),
    )
    document = parser(data)
    if not document.text.strip():
        raise ParseError("no_text_found", "The file holds no text, so there is nothing to search in it.")
    return document
