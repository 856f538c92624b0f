"""Plain text: paragraphs are separated by blank lines."""

import re

from pilothouse_ingest.parsing.decode import decode
from pilothouse_ingest.parsing.models import Block, ParsedDocument

# Begins at a visible character: a line of a million blanks must not be tried from each of them.
PARAGRAPH = re.compile(r"\S[^\n]*(?:\n[^\S\n]*\S[^\n]*)*")


def parse_plain(data: bytes) -> ParsedDocument:
    """The text as it is."""
    text = decode(data)
    blocks = tuple(Block(*match.span(), "paragraph") for match in PARAGRAPH.finditer(text))
    return ParsedDocument(text=text, blocks=blocks)
