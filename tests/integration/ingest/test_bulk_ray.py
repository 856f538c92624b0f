"""The same folder on a Ray cluster of this machine. Ray is an optional extra, and large."""

import asyncio
import importlib.util
import os
import sys
from pathlib import Path

import psycopg
import pytest

from pilothouse_ingest.settings import IngestSettings
from support.database import Database
from support.embedding_server import serve_embeddings

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed (extra `ray` of pilothouse-ingest)"
)


async def bulk_on_ray(settings: IngestSettings, folder: Path, url: str) -> tuple[int | None, str]:
    """Exit code and log."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "pilothouse_ingest", "bulk", str(folder), "--collection", "bulk", "--ray"),
        env={
            **os.environ,
            "PILOTHOUSE_DATABASE_URL": settings.database.url.get_secret_value(),
            "PILOTHOUSE_EMBEDDING_BACKEND": "tei",
            "PILOTHOUSE_EMBEDDING_URL": url,
            "PILOTHOUSE_PARSING_PROCESSES": "1",
            "PILOTHOUSE_BULK_REPORT": "1",
            "RAY_USAGE_STATS_ENABLED": "0",
            "HOME": str(folder.parent),  # where it leaves its token
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.mark.timeout(300)
async def test_tasks_of_a_ray_cluster_take_a_folder_in(
    settings: IngestSettings, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(450):  # three tasks
        (folder / f"{number}.md").write_text(f"# Report {number}\n\nWords of {number}.\n", encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7")
    async with serve_embeddings() as url:
        code, output = await bulk_on_ray(settings, folder, url)
        assert code == 4, output
        assert "bulk_finished" in output
        assert "damaged_file" in output
        (folder / "broken.pdf").unlink()
        code, output = await bulk_on_ray(settings, folder, url)
        assert (code, "unchanged=450" in output) == (0, True), output
    with psycopg.connect(database.admin) as connection:
        indexed = connection.execute(
            "SELECT count(*) FROM documents.documents WHERE status = 'indexed'"
        ).fetchone()
        jobs = connection.execute("SELECT count(*) FROM jobs.procrastinate_jobs").fetchone()
    assert (indexed, jobs) == ((450,), (0,))
