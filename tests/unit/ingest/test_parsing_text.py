"""Plain text, encodings, Markdown, reStructuredText and HTML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse_ingest.parsing.formats import HTML, MARKDOWN, PLAIN, RST, parse
from pilothouse_ingest.parsing.models import ParsedDocument, ParseError, document_from_json, structure_to_json

GERMAN = "Größe und Maß: über die Prüfung der Geräte nach längerem Gebrauch."


def outcome(data: bytes, media_type: str) -> ParsedDocument | ParseError:
    """The only two ways in which parsing may end."""
    try:
        return parse(data, media_type)
    except ParseError as exc:
        return exc


def kinds(document: ParsedDocument) -> list[tuple[str, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


@pytest.mark.parametrize(
    "data",
    [
        GERMAN.encode(),
        b"\xef\xbb\xbf" + GERMAN.encode(),
        GERMAN.encode("utf-16"),
        GERMAN.encode("utf-16-be"),
        GERMAN.encode("utf-16-le"),
        GERMAN.encode("utf-32"),
        GERMAN.encode("cp1252"),
    ],
    ids=["utf-8", "utf-8 bom", "utf-16", "utf-16-be", "utf-16-le", "utf-32", "cp1252"],
)
def test_text_is_read_in_its_encoding(data: bytes) -> None:
    assert parse(data, PLAIN).text == GERMAN


def test_nul_bytes_and_line_ends_are_normalised_and_nothing_else() -> None:
    assert parse(b"a\x00b\r\nc\rd  \te\xcc\x81", PLAIN).text == "ab\nc\nd  \te\u0301"


def test_paragraphs_are_blocks() -> None:
    document = parse(b"one\ntwo\n\n \nthree\n", PLAIN)
    assert kinds(document) == [("paragraph", "one\ntwo"), ("paragraph", "three")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (bytes(range(256)) * 8, "not_text"),
        (b" \n\t\n ", "no_text_found"),
        (b"\x00" * 500, "no_text_found"),
    ],
)
def test_what_is_not_text_is_said_to_be_so(data: bytes, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(data, PLAIN)
    assert caught.value.code == code
    assert caught.value.detail.endswith((".", "it."))


@given(st.binary(max_size=400), st.sampled_from([PLAIN, MARKDOWN, RST, HTML]))
def test_any_bytes_end_in_text_or_in_a_plain_error(data: bytes, media_type: str) -> None:
    document = outcome(data, media_type)
    if isinstance(document, ParseError):
        assert document.detail
        return
    assert "\x00" not in document.text
    document.text.encode()
    at = 0
    for block in document.blocks:
        assert at <= block.start < block.end <= len(document.text)
        at = block.end


MARKDOWN_SOURCE = b"""---
title: "The handbook"
weight: 3
---
# Install

Some text <!-- not for readers --> here.

## Requirements {#req}

- one
- two

```sh
# not a heading
make <!-- kept -->
```

| a | b |
|---|---|
| 1 | 2 |
"""


def test_markdown_keeps_its_source_and_finds_its_blocks() -> None:
    document = parse(MARKDOWN_SOURCE, MARKDOWN)
    assert document.title == "The handbook"
    assert "weight" not in document.text
    assert "not for readers" not in document.text
    assert [(kind, text.split("\n")[0]) for kind, text in kinds(document)] == [
        ("heading", "# Install"),
        ("paragraph", "Some text  here."),
        ("heading", "## Requirements {#req}"),
        ("list", "- one"),
        ("code", "```sh"),
        ("table", "| a | b |"),
    ]
    assert document.blocks[-1].path == ("Install", "Requirements")
    assert "make <!-- kept -->" in document.text


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("title: Plain words ", "Plain words"),
        ("title = 'In TOML'", "In TOML"),
        ("title: It's", "It's"),
        ('title: ""', "Heading"),
        # Tried from each of its blanks, this would take minutes.
        ("title: a" + " " * 300_000 + "b", "a b"),
    ],
)
def test_the_title_in_front_matter_is_read(line: str, title: str) -> None:
    assert parse(f"---\n{line}\n---\n# Heading\n".encode(), MARKDOWN).title == title


def test_a_page_of_front_matter_alone_is_found_by_it() -> None:
    document = parse(b"---\ntitle: Tasks\ndescription: How to do things\n---\n", MARKDOWN)
    assert document.title == "Tasks"
    assert "How to do things" in document.text


def test_rst_sections_literals_and_tables() -> None:
    source = b"""=====
Guide
=====

Text with code::

    x = 1

    y = 2

Usage
-----

* a
* b

=====  =====
A      B
=====  =====
1      2
=====  =====
"""
    document = parse(source, RST)
    assert document.title == "Guide"
    assert document.text == source.decode()
    assert [block.kind for block in document.blocks] == [
        "heading",
        "paragraph",
        "code",
        "code",
        "heading",
        "list",
        "table",
    ]
    assert document.blocks[-1].path == ("Guide", "Usage")


def test_html_shows_what_a_reader_sees() -> None:
    page = b"""<!doctype html><html><head><title>My &amp; page</title><style>p{}</style></head>
    <body><nav>Home | About</nav><h1>Top</h1><script>alert(1)</script>
    <p>A <b>bold</b>
    word.</p><h2>Sub</h2><ul><li>one</li><li>two <ol><li>deep</li></ol></li></ul>
    <pre>  x = 1
  y</pre><table><tr><th>k</th><th>v</th></tr><tr><td>a</td><td><p>1</p><p>2</p></td></tr></table></body>"""
    document = parse(page, HTML)
    assert document.title == "My & page"
    assert kinds(document) == [
        ("heading", "Top"),
        ("paragraph", "A bold word."),
        ("heading", "Sub"),
        ("list", "- one\n- two\n  1. deep"),
        ("code", "  x = 1\n  y"),
        ("table", "k | v\na | 1 2"),
    ]
    assert document.blocks[-1].path == ("Top", "Sub")


@pytest.mark.parametrize("name", ["rot13", "zip", "idna", "undefined", "none"])
def test_a_declared_charset_that_is_none_is_passed_over(name: str) -> None:
    page = f"<html><head><meta charset={name}></head><body><p>{GERMAN}</p></body></html>"
    assert parse(page.encode("cp1252"), HTML).text == GERMAN


def test_html_is_read_in_its_declared_charset() -> None:
    page = '<html><head><meta charset="windows-1251"></head><body><p>Привет, мир</p></body></html>'
    assert parse(page.encode("windows-1251"), HTML).text == "Привет, мир"


@pytest.mark.parametrize(
    "page",
    [b"<div>" * 50_000 + b"x", b"<table>" * 3_000 + b"x", b"<p>a&#0;&#xD800;b</p>", b"<li>a<li>b</table>c"],
)
def test_broken_html_ends_in_text_or_a_plain_error(page: bytes) -> None:
    found = outcome(page, HTML)
    assert found.code == "no_text_found" if isinstance(found, ParseError) else found.text.encode()


def test_structure_survives_the_pipe_between_the_processes() -> None:
    document = parse(MARKDOWN_SOURCE, MARKDOWN)
    assert document_from_json(document.text, structure_to_json(document)) == document
