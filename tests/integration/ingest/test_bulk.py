"""A folder taken in: what becomes of its files, also when the process dies or is not alone."""

import asyncio
import operator
import os
import random
import signal
import sys
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from pilothouse_core.database import open_pool
from pilothouse_core.settings import DatabaseSettings, EmbeddingSettings
from pilothouse_core.testing import HashEmbedder
from pilothouse_ingest.bulk.command import run
from pilothouse_ingest.bulk.folder import Part, list_folder
from pilothouse_ingest.bulk.intake import make_collection
from pilothouse_ingest.bulk.outcome import Outcome
from pilothouse_ingest.bulk.run import run_part
from pilothouse_ingest.bulk.settings import BulkProcessSettings, BulkSettings
from pilothouse_ingest.settings import SEARCH_PATH, IngestSettings
from support.database import Database
from support.ingest import Ingest, eventually
from support.tei import serve_embeddings

COUNTS = """
SELECT (SELECT count(*) FROM documents.documents),
       (SELECT count(*) FROM documents.documents WHERE status = 'indexed'),
       (SELECT count(*) FROM documents.documents d
        WHERE status = 'indexed'
          AND chunk_count <> (SELECT count(*) FROM documents.chunks WHERE document_id = d.id)),
       (SELECT count(*) FROM jobs.procrastinate_jobs)
"""


@pytest.fixture
def bulk(settings: IngestSettings) -> BulkProcessSettings:
    return BulkProcessSettings(
        **{name: getattr(settings, name) for name in type(settings).model_fields},
        bulk=BulkSettings(report=timedelta(seconds=0.2), patience=timedelta(seconds=30)),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "folder"
    found.mkdir()
    return found


async def take_in(
    settings: BulkProcessSettings, folder: Path, part: Part | None = None, collection: str = "bulk"
) -> Outcome:
    """One run in this process."""
    async with open_pool(settings.database, application_name="test", search_path=SEARCH_PATH) as pool:
        await make_collection(pool, settings, collection)
    return await run_part(
        settings,
        list_folder(folder),
        part or Part(),
        collection,
        report=Outcome.log_progress,
        stop=asyncio.Event(),
        embedder=HashEmbedder(),
    )


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


async def test_every_file_becomes_a_document_of_the_owner(
    bulk: BulkProcessSettings, folder: Path, database: Database
) -> None:
    fill(folder, 5)
    (folder / "sub").mkdir()
    (folder / "sub" / "page.html").write_text("<!doctype html><p>Words of a page.", encoding="utf-8")
    outcome = await take_in(bulk, folder)
    assert (outcome.exit_code, outcome.total, outcome.indexed, outcome.added) == (0, 6, 6, 6)
    assert documents(database)["sub/page.html"] == (1, "indexed", "Words of a page.")
    with psycopg.connect(database.admin) as connection:
        row = connection.execute("SELECT owner, readers, writers FROM documents.collections").fetchone()
    assert row == ("bulk", ["everyone"], [])
    assert_whole(database, 6)


async def test_a_second_run_replaces_what_changed_and_nothing_else(
    bulk: BulkProcessSettings, folder: Path, database: Database
) -> None:
    fill(folder, 4)
    await take_in(bulk, folder)
    (folder / "001.md").write_text("New words", encoding="utf-8")
    (folder / "new.md").write_text("More words", encoding="utf-8")
    outcome = await take_in(bulk, folder)
    assert (outcome.added, outcome.replaced, outcome.unchanged, outcome.indexed) == (1, 1, 3, 5)
    found = documents(database)
    assert found["001.md"] == (2, "indexed", "New words")
    assert [found[name][0] for name in ("000.md", "002.md", "003.md")] == [1, 1, 1]
    assert_whole(database, 5)


async def test_the_same_bytes_twice_are_one_document(
    bulk: BulkProcessSettings, folder: Path, database: Database
) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        (folder / name).write_text("The same words", encoding="utf-8")
    outcome = await take_in(bulk, folder)
    assert (outcome.exit_code, outcome.indexed, outcome.added) == (0, 3, 1)
    assert_whole(database, 1)


async def test_a_copy_keeps_its_content_when_the_other_one_changes(
    bulk: BulkProcessSettings, folder: Path, database: Database
) -> None:
    one_by_one = bulk.model_copy(update={"bulk": BulkSettings(ahead=1)})
    (folder / "z.txt").write_text("First words", encoding="utf-8")
    await take_in(one_by_one, folder)
    (folder / "a.txt").write_text("First words", encoding="utf-8")
    (folder / "z.txt").write_text("Other words", encoding="utf-8")
    for _ in range(2):  # the second run finds nothing to do
        outcome = await take_in(one_by_one, folder)
        assert outcome.exit_code == 0
        texts = {name: text for name, (_, _, text) in documents(database).items()}
        assert texts == {"a.txt": "First words", "z.txt": "Other words"}
    assert outcome.unchanged == 2


async def test_what_cannot_be_indexed_is_named_with_its_reason(
    bulk: BulkProcessSettings, folder: Path, database: Database
) -> None:
    (folder / "good.txt").write_text("Good words", encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    (folder / "empty.md").write_bytes(b"")
    (folder / "large.txt").write_bytes(b"x" * 2000)
    (folder / "link.txt").symlink_to("/etc/hostname")
    (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (folder / "table.xlsx").write_bytes(b"PK\x03\x04xl/")
    (folder / "README").write_text("A text without an ending", encoding="utf-8")
    with (folder / "name\udce9.txt").open("w", encoding="utf-8") as file:
        file.write("Words under a name that is not UTF-8")
    small = bulk.model_copy(update={"upload": bulk.upload.model_copy(update={"max_bytes": 1000})})
    outcome = await take_in(small, folder)
    assert outcome.exit_code == 4
    assert {failure.name: failure.code for failure in outcome.failed} == {
        "broken.pdf": "damaged_file",
        "empty.md": "empty_file",
        "large.txt": "too_large",
        "link.txt": "outside_folder",
    }
    assert outcome.skipped == {".jpg": 1, ".xlsx": 1}
    assert outcome.done == outcome.total == 9
    indexed = {name for name, found in documents(database).items() if found[1] == "indexed"}
    assert indexed == {"good.txt", "README", "name%E9.txt"}


async def test_parts_at_the_same_time_and_a_live_worker_share_the_work(
    bulk: BulkProcessSettings, folder: Path, database: Database, worker: Any
) -> None:
    fill(folder, 30)
    (folder / "copy.md").write_bytes((folder / "007.md").read_bytes())
    async with worker():
        outcomes = await asyncio.gather(*(take_in(bulk, folder, Part(at, 3)) for at in range(3)))
    assert [outcome.exit_code for outcome in outcomes] == [0, 0, 0]
    assert sum(outcome.indexed for outcome in outcomes) == 31
    assert sum(outcome.added for outcome in outcomes) == 30
    assert_whole(database, 30)


async def test_files_that_are_accepted_while_others_are_looked_at_are_not_taken_for_deleted(
    bulk: BulkProcessSettings, folder: Path, database: Database
) -> None:
    fill(folder, 150, lines=1)
    outcome = await take_in(bulk, folder)
    assert (outcome.exit_code, outcome.indexed) == (0, 150)
    assert_whole(database, 150)


async def test_uploads_are_not_kept_waiting_by_a_folder(
    bulk: BulkProcessSettings, folder: Path, ingest: Ingest, database: Database
) -> None:
    fill(folder, 3)
    idle = bulk.model_copy(update={"bulk": BulkSettings(patience=timedelta(0))})
    await take_in(idle, folder)  # gives up at once, with its jobs in the queue
    await ingest.upload(b"Somebody waits for this", "a.txt")
    with psycopg.connect(database.admin) as connection:
        rows = connection.execute("SELECT priority FROM jobs.procrastinate_jobs ORDER BY id").fetchall()
    assert rows[-1] > max(rows[:-1], default=(-1000,))


async def test_it_gives_up_when_nothing_moves_and_the_next_run_goes_on(
    bulk: BulkProcessSettings, folder: Path, database: Database
) -> None:
    fill(folder, 3)
    lost = bulk.model_copy(
        update={
            "embedding": EmbeddingSettings(backend="tei", url="http://127.0.0.1:9"),
            "bulk": BulkSettings(patience=timedelta(seconds=1)),
        }
    )
    async with open_pool(bulk.database, application_name="test", search_path=SEARCH_PATH) as pool:
        await make_collection(pool, bulk, "bulk")
    outcome = await run_part(
        lost, list_folder(folder), Part(), "bulk", report=Outcome.log_progress, stop=asyncio.Event()
    )
    assert (outcome.exit_code, outcome.added) == (1, 3)
    assert "embedding server" in str(outcome.broken)
    outcome = await take_in(bulk, folder)
    assert (outcome.exit_code, outcome.indexed) == (0, 3)
    assert_whole(database, 3)


async def test_a_collection_that_is_deleted_meanwhile_ends_the_run(
    bulk: BulkProcessSettings, folder: Path, database: Database
) -> None:
    fill(folder, 40)
    narrow = bulk.model_copy(update={"bulk": BulkSettings(ahead=2)})

    async def delete() -> None:
        with psycopg.connect(database.admin, autocommit=True) as connection:

            async def some() -> int:
                row = connection.execute("SELECT count(*) FROM documents.documents").fetchone()
                return row[0] if row else 0

            await eventually(some, bool)
            connection.execute("DELETE FROM documents.collections")

    outcome, _ = await asyncio.gather(take_in(narrow, folder), delete())
    assert outcome.exit_code == 1
    assert "No collection named 'bulk'" in str(outcome.broken)


# The command, in processes of its own.


@asynccontextmanager
async def command(
    settings: BulkProcessSettings, folder: Path, *arguments: str, url: str, **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`pilothouse_ingest bulk`, killed at the latest with the context."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pilothouse_ingest",
        "bulk",
        str(folder),
        "--collection",
        "bulk",
        *arguments,
        env={
            **os.environ,
            "PILOTHOUSE_DATABASE_URL": settings.database.url.get_secret_value(),
            "PILOTHOUSE_EMBEDDING_BACKEND": "tei",
            "PILOTHOUSE_EMBEDDING_URL": url,
            "PILOTHOUSE_WORKER_HEARTBEAT": "0.3",
            "PILOTHOUSE_WORKER_STALLED_AFTER": "2",
            "PILOTHOUSE_WORKER_SWEEP": "0.3",
            "PILOTHOUSE_BULK_REPORT": "0.2",
            **environment,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def ended(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    """Exit code and log."""
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_nothing_is_lost_or_doubled_when_it_is_killed(
    bulk: BulkProcessSettings, folder: Path, database: Database
) -> None:
    """Kills at random points; the seed is printed when it fails."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    fill(folder, 60, lines=60)

    async def indexed() -> int:
        with psycopg.connect(database.admin) as connection:
            row = connection.execute(COUNTS).fetchone()
            return row[1] if row else 0

    async with serve_embeddings() as url:
        for _ in range(3):
            before = await indexed()
            async with command(bulk, folder, url=url, PILOTHOUSE_BULK_AHEAD="20") as process:
                await eventually(indexed, partial(operator.lt, min(before, 55)))
                await asyncio.sleep(chance.uniform(0, 0.4))
                process.kill()
        async with command(bulk, folder, url=url) as process:
            code, output = await ended(process)
    assert code == 0, (seed, output)
    assert "bulk_finished" in output
    assert_whole(database, 60)


async def test_told_to_stop_it_ends_in_time_and_can_be_started_again(
    bulk: BulkProcessSettings, folder: Path, database: Database
) -> None:
    fill(folder, 40, lines=60)
    async with serve_embeddings() as url:
        async with command(bulk, folder, url=url, PILOTHOUSE_BULK_AHEAD="4") as process:
            assert process.stdout is not None
            while b"bulk_progress" not in await process.stdout.readline():
                pass
            process.send_signal(signal.SIGTERM)
            code, output = await ended(process)
        assert (code, "told to stop" in output) == (1, True)
        async with command(bulk, folder, url=url) as process:
            assert (await ended(process))[0] == 0
    assert_whole(database, 40)


async def test_pods_of_a_job_take_a_part_each(
    bulk: BulkProcessSettings, folder: Path, database: Database
) -> None:
    fill(folder, 12)
    async with serve_embeddings() as url:
        for index in ("0", "1"):
            job = {"PILOTHOUSE_BULK_PARTS": "2", "JOB_COMPLETION_INDEX": index}
            async with command(bulk, folder, url=url, **job) as process:
                code, output = await ended(process)
                assert code == 0, output
    assert_whole(database, 12)


async def test_the_exit_code_says_that_some_failed(bulk: BulkProcessSettings, folder: Path) -> None:
    fill(folder, 2)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7")
    async with serve_embeddings() as url, command(bulk, folder, url=url) as process:
        code, output = await ended(process)
    assert code == 4, output
    assert "bulk_failed" in output
    assert "broken.pdf" in output
    assert "damaged_file" in output


@pytest.mark.parametrize(
    ("files", "changed", "words"),
    [
        (None, {}, "cannot be read: No such file"),
        ([], {}, "There is no file in"),
        (["photo.jpg"], {}, "None of the files is of a kind that can be read"),
        (["a.txt"], {"bulk": BulkSettings(parts=3)}, "say which part this is"),
        (
            ["a.txt"],
            {"database": DatabaseSettings(url=SecretStr("host=127.0.0.1 port=9"))},
            "database cannot",
        ),
    ],
)
def test_when_nothing_can_be_done_it_says_why(
    bulk: BulkProcessSettings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    files: list[str] | None,
    changed: dict[str, Any],
    words: str,
) -> None:
    folder = tmp_path / "wanted"
    if files is not None:
        folder.mkdir()
    for name in files or []:
        (folder / name).write_bytes(b"GIF8" if name.endswith("jpg") else b"words")
    arguments = Namespace(folder=folder, collection="bulk", part=None, ray=False)
    assert run(bulk.model_copy(update=changed), arguments) == 1
    assert words in capsys.readouterr().out


async def test_somebody_elses_collection_is_left_alone(
    bulk: BulkProcessSettings, folder: Path, ingest: Ingest, database: Database
) -> None:
    await ingest.make_collection("bulk", access={"writers": []})
    fill(folder, 1)
    async with serve_embeddings() as url, command(bulk, folder, url=url) as process:
        code, output = await ended(process)
    assert (code, "Ask the owner of bulk" in output) == (1, True), output
    assert documents(database) == {}
