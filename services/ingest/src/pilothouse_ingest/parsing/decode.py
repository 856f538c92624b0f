"""Bytes to text: byte order mark, UTF-8, a declared charset, then an educated guess."""

import codecs
import re

from charset_normalizer import from_bytes

from pilothouse_ingest.parsing.models import ParseError

# UTF-32's mark begins with that of UTF-16, so it comes first.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 256 * 1024
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f\x80-\x84\x86-\x9f\ufffd]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_UTF8_CONTROL_SHARE = 0.1
_GUESS_CONTROL_SHARE = 0.01


def decode(data: bytes, *, declared: str | None = None) -> str:
    """The text of a file, normalised by `clean`. Raises `ParseError` (`not_text`)."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _checked(data.decode(encoding, errors="replace"), _UTF8_CONTROL_SHARE)
    if (wide := _wide_encoding(data)) is not None:
        return _checked(data.decode(wide, errors="replace"), _GUESS_CONTROL_SHARE)
    try:
        return _checked(data.decode("utf-8"), _UTF8_CONTROL_SHARE)
    except UnicodeDecodeError:
        pass
    text = _as_declared(data, declared)
    if text is None:
        text = data.decode(_guess(data), errors="replace")
    return _checked(text, _GUESS_CONTROL_SHARE)


def clean(text: str) -> str:
    """NUL and lone surrogates out (PostgreSQL and UTF-8 refuse them), line ends made `\\n`.

    Nothing else changes: offsets must keep pointing at what the person wrote.
    """
    text = text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n")
    return _SURROGATE.sub("\ufffd", text)


def _wide_encoding(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark, told by where the zero bytes of its letters lie."""
    sample = data[:4096]
    length = len(sample) // 4 * 4
    if length < 8:
        return None
    zeros = [sample[at:length:4].count(0) / (length // 4) for at in range(4)]
    if zeros[0] < 0.1 and min(zeros[1:]) > 0.9:
        return "utf-32-le"
    if zeros[3] < 0.1 and min(zeros[:3]) > 0.9:
        return "utf-32-be"
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    if odd > 0.4 and even < 0.1:
        return "utf-16-le"
    if even > 0.4 and odd < 0.1:
        return "utf-16-be"
    return None


def _as_declared(data: bytes, name: str | None) -> str | None:
    """The text in the charset that the file names; None where Python knows no such one."""
    try:
        return data.decode(name, errors="replace") if name else None
    except (LookupError, UnicodeError):  # such as rot13, zip and undefined
        return None


def _guess(data: bytes) -> str:
    match = from_bytes(data[:_SAMPLE]).best()
    if match is None:
        raise _not_text()
    return match.encoding


def _checked(text: str, control_share: float) -> str:
    sample = text[:_SAMPLE]
    if len(_CONTROL.findall(sample)) > max(1.0, control_share * len(sample)):
        raise _not_text()
    return clean(text)


def _not_text() -> ParseError:
    return ParseError(
        "not_text",
        "The file's name says that it is text, but its content is not. "
        "Check that the right file was chosen, or save it as UTF-8 text.",
    )
