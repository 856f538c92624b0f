"""The command that takes a folder in: killed, stopped, in parts, and what it says of itself."""

import asyncio
import operator
import os
import random
import signal
import sys
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from pilothouse_core.settings import DatabaseSettings
from pilothouse_ingest.bulk.command import run
from pilothouse_ingest.bulk.settings import BulkProcessSettings, BulkSettings
from support.bulk import COUNTS, assert_whole, documents, fill
from support.database import Database
from support.embedding_server import serve_embeddings
from support.ingest import Ingest, eventually


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
            log = b""
            while b"bulk_progress" not in log:
                line = await process.stdout.readline()
                assert line, log.decode()
                log += line
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
