"""Word documents (Office Open XML), read from their XML.

python-docx leaves out content controls and text boxes and does not open the `Strict`
variant, so the few elements that carry text are read here, by local name.
"""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from pilothouse_ingest.parsing.builder import DocumentBuilder, one_line
from pilothouse_ingest.parsing.decode import clean
from pilothouse_ingest.parsing.models import ParsedDocument, ParseError

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_MEMBER_LIMIT = 256 * 1024 * 1024  # bytes of one unpacked part; more is a zip bomb
_HEADING_NAMES = {f"heading {level}": level for level in range(1, 10)}
_DELETED = frozenset(("del", "moveFrom", "Fallback", "instrText", "delText"))


def parse_docx(data: bytes) -> ParsedDocument:
    """Paragraphs, headings, lists and tables in reading order. Raises `ParseError`."""
    if data.startswith(_OLE):
        raise _not_docx_but_ole(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            body = _xml(archive, _main_part(archive))
            styles = _styles(archive)
            title = _core_title(archive)
            notes = [_xml(archive, name) for name in _side_parts(archive)]
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        KeyError,
        EOFError,
        OSError,
        NotImplementedError,
    ) as exc:
        raise _damaged() from exc
    except (RuntimeError, etree.XMLSyntaxError) as exc:  # RuntimeError: an encrypted member
        if "encrypted" in str(exc):
            raise _password() from exc
        raise _damaged() from exc
    reader = _Reader(styles, DocumentBuilder())
    reader.read(body)
    for note in notes:
        reader.read(note)
    reader.flush_list()
    reader.builder.title = title or reader.title
    return reader.builder.build()


def _main_part(archive: zipfile.ZipFile) -> str:
    names = archive.namelist()
    if "word/document.xml" in names:
        return "word/document.xml"
    return next(
        (n for n in names if n.startswith("word/document") and n.endswith(".xml")), "word/document.xml"
    )


def _side_parts(archive: zipfile.ZipFile) -> list[str]:
    wanted = ("word/footnotes.xml", "word/endnotes.xml", "word/comments.xml")
    return [name for name in wanted if name in archive.namelist()]


def _xml(archive: zipfile.ZipFile, name: str) -> etree._Element:
    if archive.getinfo(name).file_size > _MEMBER_LIMIT:
        raise ParseError(
            "too_large_unpacked",
            "The document unpacks to more than 256 MiB. Split it, or save it again without what bloats it.",
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True, remove_pis=True
    )
    return etree.fromstring(archive.read(name), parser)


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _attribute(element: etree._Element, name: str) -> str | None:
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return None


def _child(element: etree._Element | None, *names: str) -> etree._Element | None:
    for name in names:
        if element is None:
            return None
        element = next((child for child in element if _local(child) == name), None)
    return element


@dataclass(frozen=True, slots=True)
class _Style:
    name: str
    level: int | None
    is_list: bool


def _styles(archive: zipfile.ZipFile) -> dict[str, _Style]:
    if "word/styles.xml" not in archive.namelist():
        return {}
    found: dict[str, _Style] = {}
    for element in _xml(archive, "word/styles.xml"):
        identifier = _attribute(element, "styleId")
        if _local(element) != "style" or identifier is None:
            continue
        name_element = _child(element, "name")
        name = (_attribute(name_element, "val") or "").lower() if name_element is not None else ""
        properties = _child(element, "pPr")
        level = _HEADING_NAMES.get(name, _outline_level(properties))
        found[identifier] = _Style(name, level, _child(properties, "numPr") is not None or "list" in name)
    return found


def _outline_level(properties: etree._Element | None) -> int | None:
    outline = _child(properties, "outlineLvl")
    value = _attribute(outline, "val") if outline is not None else None
    return int(value) + 1 if value is not None and value.isdecimal() and int(value) < 9 else None


def _core_title(archive: zipfile.ZipFile) -> str | None:
    if "docProps/core.xml" not in archive.namelist():
        return None
    title = _child(_xml(archive, "docProps/core.xml"), "title")
    return (one_line(clean(title.text or "")) or None) if title is not None else None


@dataclass(slots=True)
class _Reader:
    """Turns block-level elements into blocks. Iterative, as documents nest as they like."""

    styles: dict[str, _Style]
    builder: DocumentBuilder
    title: str | None = None
    items: list[str] = field(default_factory=list)

    def read(self, root: etree._Element) -> None:
        stack = [iter(root)]
        while stack:
            element = next(stack[-1], None)
            if element is None:
                stack.pop()
                continue
            name = _local(element)
            if name == "p":
                self.paragraph(element)
            elif name == "tbl":
                self.table(element)
            elif name not in _DELETED and name != "sectPr":
                stack.append(iter(element))

    def paragraph(self, element: etree._Element) -> None:
        text, boxes = _text_and_boxes(element)
        properties = _child(element, "pPr")
        style_element = _child(properties, "pStyle")
        identifier = _attribute(style_element, "val") if style_element is not None else None
        style = self.styles.get(identifier or "") or _Style("", None, False)
        level = _outline_level(properties) or style.level
        if not text.strip():
            pass
        elif style.name == "title":
            self.title = self.title or one_line(text)
            self.flush_list()
            self.builder.heading(1, text)
        elif level is not None:
            self.flush_list()
            self.builder.heading(level, text)
        elif style.is_list or _child(properties, "numPr") is not None:
            indent = _child(properties, "numPr", "ilvl")
            depth = _attribute(indent, "val") if indent is not None else None
            self.items.append(
                "  " * min(int(depth) if depth and depth.isdecimal() else 0, 8) + f"- {text.strip()}"
            )
        else:
            self.flush_list()
            self.builder.add("code" if "code" in style.name else "paragraph", text)
        for box in boxes:
            self.read(box)

    def flush_list(self) -> None:
        if self.items:
            self.builder.add("list", "\n".join(self.items))
            self.items.clear()

    def table(self, element: etree._Element) -> None:
        self.flush_list()
        rows = []
        for row in _rows(element):
            cells = [one_line(_all_text(cell)) for cell in row if _local(cell) in ("tc", "sdt")]
            if any(cells):
                rows.append(" | ".join(cells))
        self.builder.add("table", "\n".join(rows))


def _rows(table: etree._Element) -> Iterator[etree._Element]:
    """The table's own rows, also those in content controls, not those of tables in its cells."""
    for child in table:
        if _local(child) == "tr":
            yield child
        elif _local(child) == "sdt":
            yield from (row for row in child.iter() if _local(row) == "tr")


def _all_text(element: etree._Element) -> str:
    paragraphs = []
    for child in element.iter():
        if _local(child) == "p":
            text, _ = _text_and_boxes(child)
            paragraphs.append(text)
    return "\n".join(paragraphs)


def _text_and_boxes(paragraph: etree._Element) -> tuple[str, list[etree._Element]]:
    """A paragraph's own text, and the text boxes anchored in it."""
    parts: list[str] = []
    boxes: list[etree._Element] = []
    stack = [iter(paragraph)]
    while stack:
        element = next(stack[-1], None)
        if element is None:
            stack.pop()
            continue
        name = _local(element)
        if name == "t":
            parts.append(element.text or "")
        elif name in ("tab", "ptab"):
            parts.append("\t")
        elif name in ("br", "cr"):
            parts.append("\n")
        elif name == "noBreakHyphen":
            parts.append("-")
        elif name == "txbxContent":
            boxes.append(element)
        elif name not in _DELETED and name not in ("pPr", "rPr"):
            stack.append(iter(element))
    return "".join(parts), boxes


def _not_docx_but_ole(data: bytes) -> ParseError:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return _password()
    return ParseError(
        "wrong_format",
        "This is a document of the old Word format (.doc). "
        "Open it in Word or LibreOffice and save it as .docx.",
    )


def _password() -> ParseError:
    return ParseError(
        "password_protected",
        "The document is protected by a password. Save a copy without the password and upload that.",
    )


def _damaged() -> ParseError:
    return ParseError(
        "damaged_file",
        "The file is damaged or incomplete: it could not be opened as a Word document. "
        "Try to open it in Word, save it again and upload the new copy.",
    )
