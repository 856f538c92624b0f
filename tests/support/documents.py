"""Small files of every format, made here so that no test needs one from elsewhere."""

import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"


def pdf(pages: Sequence[Sequence[tuple[int, str]]], *, title: str = "", password: str | None = None) -> bytes:
    """A PDF whose pages hold lines of (font size, text); an empty page has no text layer."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, encrypt=password)
    if title:
        canvas.setTitle(title)
    for lines in pages:
        y = 800.0
        if not lines:
            canvas.rect(100, 100, 300, 300, fill=1)
        for size, text in lines:
            canvas.setFont("Helvetica", size)
            canvas.drawString(72, y, text)
            y -= size * (1.2 if text else 2.4)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def docx(body: str, *, title: str = "", strict: bool = False, prolog: str = "") -> bytes:
    """A Word document around the given XML of its body; the prefix `w` is bound."""
    names = f'xmlns:w="{_STRICT if strict else _W}"'
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="H{level}"><w:name w:val="heading {level}"/></w:style>'
        for level in (1, 2)
    )
    parts = {
        "[Content_Types].xml": "<Types/>",
        "word/document.xml": f"{prolog}<w:document {names}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": f"<w:styles {names}>{styles}</w:styles>",
        "docProps/core.xml": f"<core><title>{escape(title)}</title></core>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def paragraph(text: str, style: str = "") -> str:
    """A Word paragraph."""
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}<w:r><w:t>{escape(text)}</w:t></w:r></w:p>"


def encrypted_docx() -> bytes:
    """What Word wraps a document with a password in: an OLE file that names its encrypted package."""
    return bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le")
