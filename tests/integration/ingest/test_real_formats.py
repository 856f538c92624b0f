"""Real files of every supported format: each ends in text that holds its phrases, or in a plain error."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pilothouse_ingest.parsing.formats import EXTENSIONS, PDF
from pilothouse_ingest.parsing.models import ParsedDocument, ParseError
from pilothouse_ingest.parsing.pool import ParserPool
from pilothouse_ingest.settings import ParsingSettings

FOLDERS = [
    "hostile",
    "hostile/encrypted",
    "encodings",
    "text",
    "md",
    "html",
    "pdf",
    "docx",
    "pdf-scanned",
    "multilingual",
]
CODES = {"password_protected", "no_text_found", "not_text", "damaged_file", "wrong_format"}
# Not what a reader sees: an HTML comment, and the labels of a hidden sidebar.
LEFT_OUT = {"md/nested.md", "html/markitdown__test_wikipedia.html", "html/wiki_duck.html"}


@pytest.fixture
def formats(shared_data: Path) -> Path:
    return shared_data / "formats"


def phrases(formats: Path) -> dict[str, list[str]]:
    lines = (formats / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    expected = [json.loads(line) for line in lines]
    return {entry["file"]: [phrase["text"] for phrase in entry["phrases"]] for entry in expected}


@pytest.mark.parametrize("folder", FOLDERS)
async def test_real_files_end_in_text_or_a_plain_error(formats: Path, folder: str) -> None:
    async with ParserPool(ParsingSettings()) as pool:
        files = [file for file in sorted((formats / folder).iterdir()) if file.suffix in EXTENSIONS]
        results = await asyncio.gather(*(outcome(pool, file) for file in files))
    expected = phrases(formats)
    assert results
    for file, found in zip(files, results, strict=True):
        name = str(file.relative_to(formats))
        if isinstance(found, ParseError):
            assert found.code in CODES, name
            continue
        squeezed = " ".join(found.text.split())
        missing = [text for text in expected.get(name, []) if " ".join(text.split()) not in squeezed]
        assert not missing or name in LEFT_OUT, (name, missing)


async def outcome(pool: ParserPool, file: Path) -> ParsedDocument | ParseError:
    data = await asyncio.to_thread(file.read_bytes)
    media_type = PDF if data.startswith(b"%PDF") else EXTENSIONS[file.suffix]

    async def slices() -> AsyncIterator[bytes]:
        yield data

    try:
        return await pool.parse(slices(), size=len(data), media_type=media_type)
    except ParseError as exc:
        return exc
