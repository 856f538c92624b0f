"""A folder taken in: what becomes of its files, also when the process dies or is not alone."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from pilothouse_core.database import open_pool
from pilothouse_core.embedding import Vectors
from pilothouse_core.settings import EmbeddingSettings
from pilothouse_core.testing import HashEmbedder
from pilothouse_ingest.bulk.folder import Listing, Part, list_folder
from pilothouse_ingest.bulk.intake import make_collection
from pilothouse_ingest.bulk.outcome import Outcome
from pilothouse_ingest.bulk.run import run_part
from pilothouse_ingest.bulk.settings import BulkProcessSettings, BulkSettings
from pilothouse_ingest.settings import SEARCH_PATH
from support.bulk import assert_whole, documents, fill
from support.database import Database
from support.ingest import Ingest, eventually


async def take_in(
    settings: BulkProcessSettings,
    folder: Path,
    part: Part | None = None,
    *,
    stop: asyncio.Event | None = None,
    embeds: bool = True,
    embedder: HashEmbedder | None = None,
    clock: Callable[[], float] = time.monotonic,
    listing: Listing | None = None,
) -> Outcome:
    """One run in this process; without `embeds` its jobs stay in the queue."""
    if not embeds:
        away = EmbeddingSettings(backend="tei", url="http://127.0.0.1:9")
        settings = settings.model_copy(update={"embedding": away})
    async with open_pool(settings.database, application_name="test", search_path=SEARCH_PATH) as pool:
        await make_collection(pool, settings, "bulk")
    return await run_part(
        settings,
        listing or list_folder(folder),
        part or Part(),
        "bulk",
        report=Outcome.log_progress,
        stop=stop or asyncio.Event(),
        embedder=(embedder or HashEmbedder()) if embeds else None,
        clock=clock,
    )


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
    (folder / "video.mp4").write_bytes(b"x" * 2000)
    (folder / "_SUCCESS").write_bytes(b"")
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
    assert outcome.skipped == {".jpg": 1, ".xlsx": 1, ".mp4": 1, "no ending": 1}
    assert outcome.done == outcome.total == 11
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

    async def priorities() -> list[int]:
        async with await psycopg.AsyncConnection.connect(database.admin) as connection:
            rows = await connection.execute("SELECT priority FROM jobs.procrastinate_jobs ORDER BY id")
            return [row[0] async for row in rows]

    stop = asyncio.Event()
    running = asyncio.create_task(take_in(bulk, folder, stop=stop, embeds=False))
    await eventually(priorities, lambda found: len(found) == 3)
    await ingest.upload(b"Somebody waits for this", "a.txt")
    *of_the_folder, of_the_upload = await priorities()
    stop.set()
    await running
    assert len(of_the_folder) == 3
    assert of_the_upload > max(of_the_folder)


async def test_it_gives_up_when_nothing_moves_and_the_next_run_goes_on(
    bulk: BulkProcessSettings, folder: Path, database: Database
) -> None:
    fill(folder, 3)
    hasty = bulk.model_copy(update={"bulk": BulkSettings(patience=timedelta(seconds=1))})
    outcome = await take_in(hasty, folder, embeds=False)
    assert (outcome.exit_code, outcome.added) == (1, 3)
    assert "embedding server" in str(outcome.broken)
    outcome = await take_in(bulk, folder)
    assert (outcome.exit_code, outcome.indexed) == (0, 3)
    assert_whole(database, 3)


class Held(HashEmbedder):
    """Lets texts with `held` wait for the gate."""

    def __init__(self) -> None:
        super().__init__()
        self.held = asyncio.Event()
        self.gate = asyncio.Event()

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        if any("held" in text for text in texts):
            self.held.set()
            await self.gate.wait()
        return await super().embed_documents(texts)


async def test_uploads_that_the_worker_ends_are_movement_too(
    bulk: BulkProcessSettings, folder: Path, ingest: Ingest
) -> None:
    now, embedder = [0.0], Held()
    hour = bulk.model_copy(
        update={
            "bulk": BulkSettings(patience=timedelta(hours=1)),
            "embedding": EmbeddingSettings(batch_size=1),
        }
    )
    (folder / "own.txt").write_text("held words", encoding="utf-8")
    running = asyncio.create_task(take_in(hour, folder, embedder=embedder, clock=lambda: now[0]))
    await embedder.held.wait()
    for number in range(8):
        now[0] += 1500
        await ingest.settled(await ingest.upload(f"upload {number}".encode(), f"{number}.txt"))
    embedder.gate.set()
    outcome = await running
    assert (outcome.broken, outcome.indexed) == (None, 1)


async def test_a_file_without_a_known_ending_that_cannot_be_read_is_a_failure(
    bulk: BulkProcessSettings, folder: Path
) -> None:
    (folder / "NOTES").write_text("Words", encoding="utf-8")
    listing = list_folder(folder)
    (folder / "NOTES").unlink()
    outcome = await take_in(bulk, folder, listing=listing)
    assert {failure.name: failure.code for failure in outcome.failed} == {"NOTES": "unreadable_file"}
    assert (outcome.exit_code, outcome.skipped) == (4, {})


async def test_a_collection_that_is_deleted_meanwhile_ends_the_run(
    bulk: BulkProcessSettings, folder: Path, database: Database
) -> None:
    fill(folder, 40)
    narrow = bulk.model_copy(update={"bulk": BulkSettings(ahead=2)})

    async def delete() -> None:
        async with await psycopg.AsyncConnection.connect(database.admin, autocommit=True) as connection:

            async def some() -> int:
                row = await (await connection.execute("SELECT count(*) FROM documents.documents")).fetchone()
                return row[0] if row else 0

            await eventually(some, bool)
            # It waits for locks of the run, which goes on in this event loop.
            await connection.execute("DELETE FROM documents.collections")

    outcome, _ = await asyncio.gather(take_in(narrow, folder), delete())
    assert outcome.exit_code == 1
    assert "No collection named 'bulk'" in str(outcome.broken)
