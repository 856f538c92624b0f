"""PDF and Word documents."""

import pytest

from pilothouse_ingest.parsing.formats import DOCX, PDF, parse
from pilothouse_ingest.parsing.models import ParsedDocument, ParseError
from support.documents import docx, encrypted_docx, paragraph, pdf


def headings(document: ParsedDocument) -> list[str]:
    return [document.text[b.start : b.end] for b in document.blocks if b.kind == "heading"]


def refusal(data: bytes, media_type: str) -> ParseError:
    with pytest.raises(ParseError) as caught:
        parse(data, media_type)
    return caught.value


BODY = [(10, f"Line {number} of the text that most of the page consists of.") for number in range(20)]


def test_pdf_pages_headings_and_paragraphs() -> None:
    document = parse(
        pdf([[(20, "The big heading"), *BODY], [(10, "Second page."), (10, ""), (10, "After a gap.")]]), PDF
    )
    assert document.page_starts is not None
    assert len(document.page_starts) == 2
    assert document.text[document.page_starts[1] :].startswith("Second page.")
    assert headings(document) == ["The big heading"]
    assert document.blocks[-1].path == ("The big heading",)
    assert document.text[document.blocks[-1].start :] == "After a gap."


@pytest.mark.parametrize(("given", "kept"), [("Annual report", "Annual report"), ("report.docx", None)])
def test_pdf_title_is_kept_when_it_is_one(given: str, kept: str | None) -> None:
    assert parse(pdf([BODY], title=given), PDF).title == kept


def test_pdf_without_text_says_that_it_is_probably_scanned() -> None:
    error = refusal(pdf([[], []]), PDF)
    assert error.code == "no_text_found"
    assert "2 pages" in error.detail
    assert "OCR" in error.detail


def test_pdf_with_a_password_says_so() -> None:
    assert refusal(pdf([BODY], password="secret"), PDF).code == "password_protected"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_half_a_pdf_is_said_to_be_damaged(share: float) -> None:
    data = pdf([BODY] * 3)
    assert refusal(data[: int(len(data) * share)], PDF).code == "damaged_file"


def test_docx_headings_lists_tables_boxes_and_controls() -> None:
    item = '<w:p><w:pPr><w:numPr><w:ilvl w:val="1"/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p>'
    cell = f"<w:tc>{paragraph('cell')}</w:tc>"
    box = f"<w:p><w:r><w:txbxContent>{paragraph('in a box')}</w:txbxContent></w:r></w:p>"
    control = f"<w:sdt><w:sdtContent>{paragraph('in a control')}</w:sdtContent></w:sdt>"
    deleted = "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>"
    body = (
        paragraph("Chapter", "H1")
        + paragraph("Section", "H2")
        + paragraph("Text.")
        + item
        + f"<w:tbl><w:tr>{cell}{cell}</w:tr></w:tbl>"
        + box
        + control
        + deleted
    )
    document = parse(docx(body, title="The title"), DOCX)
    assert document.title == "The title"
    assert headings(document) == ["Chapter", "Section"]
    assert [(block.kind, document.text[block.start : block.end]) for block in document.blocks[2:]] == [
        ("paragraph", "Text."),
        ("list", "- item"),
        ("table", "cell | cell"),
        ("paragraph", "in a box"),
        ("paragraph", "in a control"),
    ]
    assert document.blocks[-1].path == ("Chapter", "Section")


def test_docx_of_the_strict_variant_is_read() -> None:
    assert parse(docx(paragraph("Some text"), strict=True), DOCX).text == "Some text"


def test_docx_with_levels_that_are_no_numbers_is_read() -> None:
    level = '<w:pPr><w:outlineLvl w:val="²"/><w:numPr><w:ilvl w:val="²"/></w:numPr></w:pPr>'
    assert parse(docx(f"<w:p>{level}<w:r><w:t>An item.</w:t></w:r></w:p>"), DOCX).text == "- An item."


def test_docx_with_a_password_says_so() -> None:
    assert refusal(encrypted_docx(), DOCX).code == "password_protected"


def test_old_word_format_says_what_to_do() -> None:
    error = refusal(bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 600, DOCX)
    assert error.code == "wrong_format"
    assert ".docx" in error.detail


@pytest.mark.parametrize("data", [docx(paragraph("text"))[:-200], b"PK\x03\x04 and nothing more"])
def test_damaged_docx_says_so(data: bytes) -> None:
    assert refusal(data, DOCX).code == "damaged_file"


def test_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilothouse_ingest.parsing.docx._MEMBER_LIMIT", 1000)
    assert refusal(docx(paragraph("a" * 100_000)), DOCX).code == "too_large_unpacked"


def test_entities_of_a_docx_are_not_expanded() -> None:
    body = paragraph("safe") + "<w:p><w:r><w:t>&file;</w:t></w:r></w:p>"
    declared = '<!DOCTYPE d [<!ENTITY file SYSTEM "file:///etc/hostname">]>'
    document = parse(docx(body, prolog=declared), DOCX)
    assert document.text == "safe"
