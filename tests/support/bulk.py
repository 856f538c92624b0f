"""Folders for bulk runs, and what they have become in the database."""

from pathlib import Path
from typing import Any

import psycopg

from support.database import Database

COUNTS = """
SELECT (SELECT count(*) FROM documents.documents),
       (SELECT count(*) FROM documents.documents WHERE status = 'indexed'),
       (SELECT count(*) FROM documents.documents d
        WHERE status = 'indexed'
          AND chunk_count <> (SELECT count(*) FROM documents.chunks WHERE document_id = d.id)),
       (SELECT count(*) FROM jobs.procrastinate_jobs)
"""


def fill(folder: Path, number: int, *, lines: int = 3) -> None:
    """Files with some passages each."""
    for at in range(number):
        text = "\n\n".join(f"Sentence {at}-{line} about things that differ." for line in range(lines))
        (folder / f"{at:03}.md").write_text(f"# Report {at}\n\n{text}\n", encoding="utf-8")


def documents(database: Database) -> dict[str, tuple[Any, ...]]:
    """External id to revision, state and text."""
    with psycopg.connect(database.admin) as connection:
        rows = connection.execute(
            "SELECT external_id, revision, status, text FROM documents.documents d "
            "LEFT JOIN documents.document_texts t ON t.document_id = d.id"
        )
        return {row[0]: row[1:] for row in rows}


def assert_whole(database: Database, number: int) -> None:
    """Every document is there once with all of its chunks, and no job is left."""
    with psycopg.connect(database.admin) as connection:
        assert connection.execute(COUNTS).fetchone() == (number, number, 0, 0)
