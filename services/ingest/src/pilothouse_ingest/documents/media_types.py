"""Which format a file has: by its content first, by its name where the content does not tell."""

from pathlib import PurePath

from pilothouse_core.problem import Problem
from pilothouse_ingest.parsing.formats import DOCX, EXTENSIONS, HTML, PDF, PLAIN

SNIFFED = 64 * 1024  # bytes of the beginning and of the end that are looked at
_TEXT_TYPES = frozenset(EXTENSIONS.values()) - {PDF, DOCX}
_ZIP = b"PK\x03\x04"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_FOREIGN = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"{\\rtf": "a Rich Text document",
    b"\x1f\x8b": "a gzip archive",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"SQLite format 3": "a database",
    b"ID3": "an audio file",
    b"OggS": "an audio file",
    b"RIFF": "an audio or video file",
    b"%!PS": "a PostScript file",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
}


def detect(*, filename: str, declared: str | None, head: bytes, tail: bytes) -> str:
    """The media type of a file. Raises a 415 `Problem` that lists what is supported."""
    extension = PurePath(filename).suffix.lower()
    if b"%PDF-" in head[:1024]:
        return PDF
    if head.startswith(_ZIP):
        return _of_zip(extension, head, tail)
    if head.startswith(_OLE):
        if extension == ".docx":
            return DOCX  # a password makes Word wrap the document so; the parser tells which it is
        raise _unsupported("It is a file of an old Office format. Save it as .docx or PDF.")
    for magic, name in _FOREIGN.items():
        if head.startswith(magic):
            raise _unsupported(f"Its content is {name}.")
    return HTML if _is_html(head) else _of_text(extension, declared, head)


def _of_text(extension: str, declared: str | None, head: bytes) -> str:
    """The type of a file whose first bytes name no format."""
    known = EXTENSIONS.get(extension)
    if known in (PDF, DOCX):
        raise _unsupported(f"It is named {extension}, but its content is something else.")
    if known is not None:
        return known
    kind = (declared or "").partition(";")[0].strip().lower()
    if (not extension or kind in _TEXT_TYPES) and _is_text(head):
        return kind if kind in _TEXT_TYPES else PLAIN
    raise _unsupported(
        f"Files named {extension} are not supported." if extension else "Its format is not known."
    )


def _of_zip(extension: str, head: bytes, tail: bytes) -> str:
    if b"word/" in head or b"word/" in tail:
        return DOCX
    other = any(part in head or part in tail for part in (b"xl/", b"ppt/", b"mimetype", b"META-INF/"))
    if extension == ".docx" and not other:
        return DOCX  # perhaps damaged; the parser says so
    raise _unsupported("It is an archive or an Office file of another kind than .docx.")


def _is_html(head: bytes) -> bool:
    start = head[:1024].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html"))


def _is_text(head: bytes) -> bool:
    if b"\x00" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as exc:
        return len(head) == SNIFFED and exc.start > SNIFFED - 4  # a letter cut at the sample's end
    return True


def _unsupported(why: str) -> Problem:
    formats = list(EXTENSIONS)
    return Problem(
        status=415,
        code="unsupported_media_type",
        title="This kind of file is not supported",
        detail=f"{why} Supported are {', '.join(formats)}.",
        formats=formats,
    )
