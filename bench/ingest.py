"""How fast a folder of documents becomes searchable, against the embedder's own speed.

    python -m bench.ingest PATH --collection docs

Runs the ingest API and one worker as processes of their own on a fresh embedded database,
uploads every supported file below PATH and waits until each is indexed or failed. Then a
third process of the same kind as the worker embeds the same texts with nothing else to do.
The ratio says what the pipeline around the model costs: 1.0 would be nothing.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx2
import psycopg

from pilothouse.postgres import EmbeddedPostgres
from pilothouse_core.embedding import open_embedder
from pilothouse_core.migrate import migrate
from pilothouse_core.settings import EmbeddingSettings
from pilothouse_ingest.parsing.formats import EXTENSIONS

# The worker's texts: title and headings, then the passage, as `pipeline.prepare` joins them.
TEXTS = """
SELECT concat_ws(' › ', d.title, c.heading) || E'\\n' || c.text
FROM documents.chunks c JOIN documents.documents d ON d.id = c.document_id
"""
POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of one run."""

    documents: int
    failed: int
    megabytes: float
    chunks: int
    upload_seconds: float
    seconds: float
    documents_per_second: float
    chunks_per_second: float
    embedder_chunks_per_second: float
    ratio: float


@contextmanager
def process(*arguments: str, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A part of the product, ended with the context."""
    child = subprocess.Popen([sys.executable, "-m", *arguments], env=env)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(timeout=60)


async def upload_all(client: httpx2.AsyncClient, collection: str, files: list[Path], at_once: int) -> None:
    """Uploads all files, some at the same time."""
    free = asyncio.Semaphore(at_once)

    async def upload(file: Path) -> None:
        async with free:
            data = await asyncio.to_thread(file.read_bytes)
            response = await client.post(
                f"/v1/collections/{collection}/documents",
                files={"file": (file.name, data)},
                data={"external_id": str(file)},
            )
            if response.status_code >= 500:
                response.raise_for_status()

    async with asyncio.TaskGroup() as group:
        for file in files:
            group.create_task(upload(file))


async def ready(client: httpx2.AsyncClient) -> None:
    """Waits until the API answers."""
    while True:
        try:
            if (await client.get("/readyz")).status_code == 200:
                return
        except httpx2.HTTPError:
            pass
        await asyncio.sleep(POLL_SECONDS)


async def measure(base_url: str, collection: str, files: list[Path], dsn: str) -> tuple[float, float]:
    """Seconds of uploading, and until the last document is settled."""
    async with httpx2.AsyncClient(base_url=base_url, timeout=120) as client:
        await ready(client)
        (await client.put(f"/v1/collections/{collection}")).raise_for_status()
        await worker_ready(dsn)
        started = time.perf_counter()
        await upload_all(client, collection, files, at_once=8)
        uploaded = time.perf_counter() - started
        while True:
            counts = (await client.get(f"/v1/collections/{collection}")).json()
            if counts["indexed_count"] + counts["failed_count"] == counts["document_count"]:
                return uploaded, time.perf_counter() - started
            await asyncio.sleep(POLL_SECONDS)


async def worker_ready(dsn: str) -> None:
    """Waits until the worker has loaded its model and registered: a start is not throughput."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        query = "SELECT FROM jobs.procrastinate_workers"
        while await (await connection.execute(query)).fetchone() is None:  # noqa: ASYNC110  another process
            await asyncio.sleep(POLL_SECONDS)


async def embedder_speed(texts: list[str]) -> float:
    """Texts per second of the model alone, in batches of texts of like length."""
    texts = sorted(texts, key=len)
    async with open_embedder(EmbeddingSettings()) as embedder:
        await embedder.embed_documents(texts[:32])  # the first batch warms up
        started = time.perf_counter()
        await embedder.embed_documents(texts)
        return len(texts) / (time.perf_counter() - started)


def run(path: Path, collection: str, port: int) -> Result:
    """One run on a fresh database."""
    files = [file for file in sorted(path.rglob("*")) if file.is_file() and file.suffix.lower() in EXTENSIONS]
    if not files:
        sys.exit(f"There is no supported file below {path}.")
    with tempfile.TemporaryDirectory(prefix="ph-bench-") as folder, ExitStack() as stack:
        postgres = EmbeddedPostgres(Path(folder) / "data", Path(folder) / "run")
        postgres.start()
        stack.callback(postgres.stop)
        dsn = postgres.dsn("postgres", "postgres")
        migrate(dsn)
        env = {
            **os.environ,
            "PILOTHOUSE_DATABASE_URL": dsn,
            "PILOTHOUSE_SERVER_PORT": str(port),
            "PILOTHOUSE_LOG_LEVEL": "WARNING",
            "HF_HUB_OFFLINE": "1",
        }
        with process("pilothouse_ingest", "api", env=env), process("pilothouse_ingest", "worker", env=env):
            uploaded, seconds = asyncio.run(measure(f"http://127.0.0.1:{port}", collection, files, dsn))
        with psycopg.connect(dsn) as connection:
            documents, failed = connection.execute(
                "SELECT count(*), count(*) FILTER (WHERE status = 'failed') FROM documents.documents"
            ).fetchone() or (0, 0)
            texts = [row[0] for row in connection.execute(TEXTS)]
        speed = float(
            subprocess.run(
                [sys.executable, "-m", "bench.ingest", "--embedder-only"],
                input=json.dumps(texts).encode(),
                env=env,
                check=True,
                capture_output=True,
            ).stdout.split()[-1]
        )
    return Result(
        documents=documents,
        failed=failed,
        megabytes=round(sum(file.stat().st_size for file in files) / 1e6, 2),
        chunks=len(texts),
        upload_seconds=round(uploaded, 2),
        seconds=round(seconds, 2),
        documents_per_second=round(documents / seconds, 2),
        chunks_per_second=round(len(texts) / seconds, 1),
        embedder_chunks_per_second=round(speed, 1),
        ratio=round(len(texts) / seconds / speed, 3),
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path, nargs="?")
    parser.add_argument("--collection", default="bench")
    parser.add_argument("--port", type=int, default=18081)
    parser.add_argument("--json", type=Path, dest="output", help="write the figures here too")
    parser.add_argument("--embedder-only", action="store_true", help="texts as JSON on stdin; print texts/s")
    arguments = parser.parse_args()
    if arguments.embedder_only:
        print(asyncio.run(embedder_speed(json.load(sys.stdin))))
        return
    if arguments.path is None:
        parser.error("PATH is needed")
    figures = asdict(run(arguments.path, arguments.collection, arguments.port))
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):<28}{value:>12}")
    if arguments.output:
        arguments.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
