"""`pilothouse eval`: how well search ranks, on judged sets of questions.

A set is a folder in BEIR's layout: `corpus.jsonl.gz`, `queries.jsonl`, `qrels.tsv`. Each becomes a
collection of a scratch database, cut up, embedded and stored by ingest's own code; every question
then goes through query's own `/v1/search`. A document is as good as its best passage.
"""

import argparse
import asyncio
import gzip
import json
import math
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import psycopg
from pgvector.psycopg import register_vector_async
from psycopg.conninfo import make_conninfo
from rich.table import Table
from starlette.types import Receive, Scope, Send

from pilothouse.database import prepare_database
from pilothouse.output import err, out
from pilothouse.parts import DATABASE
from pilothouse.postgres import EmbeddedPostgres
from pilothouse_core.database import Connection
from pilothouse_core.embedding import Embedder, open_embedder
from pilothouse_core.ids import new_id
from pilothouse_core.settings import LogSettings
from pilothouse_core.telemetry import configure_logging
from pilothouse_ingest.indexing import store
from pilothouse_ingest.indexing.pipeline import lexemes, prepare
from pilothouse_ingest.parsing.plain import parse_plain
from pilothouse_ingest.settings import ChunkingSettings
from pilothouse_query.app import create_app
from pilothouse_query.settings import Settings

MODES = ("dense", "lexical", "hybrid")
DEPTH = 10
SEARCH_PATH = "-c search_path=documents,public"
EMBEDDED_AT_ONCE = 512  # documents; keeps memory small on large sets

ADD_COLLECTION = "INSERT INTO collections (id, name, owner) VALUES (%(id)s, %(name)s, 'local')"
ADD_DOCUMENT = """
INSERT INTO documents (id, collection_id, owner, external_id, title, filename, media_type, size_bytes, sha256)
VALUES (%(id)s, %(collection)s, 'local', %(external_id)s, %(title)s, %(external_id)s, 'text/plain',
        %(size)s, %(sha256)s)
ON CONFLICT DO NOTHING RETURNING id
"""
IS_COMPLETE = "SELECT count(*) FROM collections WHERE name = %(name)s"
EXTERNAL_IDS = """
SELECT documents.id, external_id FROM documents JOIN collections ON collections.id = collection_id
WHERE collections.name = %(name)s
"""


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """A set of questions: `relevant[question]` holds the scores of the documents that answer it."""

    name: str
    folder: Path
    questions: Mapping[str, str]
    relevant: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Figures:
    """How one mode did on one set. Times are milliseconds inside the query service."""

    dataset: str
    mode: str
    questions: int
    ndcg_at_10: float
    recall_at_10: float
    ms_p50: float
    ms_p95: float


def evaluate(
    folders: Sequence[Path],
    *,
    modes: Sequence[str] = MODES,
    limit: int | None = None,
    output: Path | None = None,
    keep: Path | None = None,
) -> int:
    """Prints a table, writes JSON to `output`. `keep` names a folder whose database is used again."""
    configure_logging(LogSettings(level="WARNING"), service="eval")
    sets = [read_set(folder, limit=limit) for folder in folders]
    home = keep or Path(tempfile.mkdtemp(prefix="pilothouse-eval-"))
    postgres = EmbeddedPostgres(home / "data", home / "run")
    postgres.start()
    try:
        prepare_database(postgres)
        figures = asyncio.run(_run(sets, modes, lambda role: postgres.dsn(role, DATABASE)))
    finally:
        postgres.stop()
        if keep is None:
            shutil.rmtree(home, ignore_errors=True)
    out.print(table(figures))
    if output is not None:
        output.write_text(
            json.dumps([asdict(figure) for figure in figures], indent=1) + "\n", encoding="utf-8"
        )
    return 0


def read_set(folder: Path, *, limit: int | None = None) -> JudgedSet:
    """Reads questions and judgements; only judged questions, the first `limit` of them."""
    relevant: dict[str, dict[str, float]] = {}
    lines = (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]
    for line in lines:
        question, document, score = line.split("\t")
        if float(score) > 0:
            relevant.setdefault(question, {})[document] = float(score)
    questions: dict[str, str] = {}
    for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        if item["_id"] in relevant and (limit is None or len(questions) < limit):
            questions[item["_id"]] = item["text"]
    return JudgedSet(folder.name.lower().replace("_", "-"), folder, questions, relevant)


def ndcg(ranked: Sequence[str], relevant: Mapping[str, float], *, depth: int = DEPTH) -> float:
    """Normalised discounted cumulative gain as trec_eval has it: gain = score, discount = log2."""
    gain = sum(relevant.get(document, 0.0) / math.log2(at + 2) for at, document in enumerate(ranked[:depth]))
    ideal = sorted(relevant.values(), reverse=True)[:depth]
    return gain / sum(score / math.log2(at + 2) for at, score in enumerate(ideal))


def recall(ranked: Sequence[str], relevant: Mapping[str, float], *, depth: int = DEPTH) -> float:
    """Share of the relevant documents among the first `depth`."""
    return len(set(ranked[:depth]) & relevant.keys()) / len(relevant)


def best_per_document(results: Sequence[Mapping[str, Any]], names: Mapping[UUID, str]) -> list[str]:
    """The documents' names in the order of their best passages; results are best first."""
    return list(dict.fromkeys(names[UUID(result["document_id"])] for result in results))


def table(figures: Sequence[Figures]) -> Table:
    """The figures for a person."""
    shown = Table("set", "mode", "questions", "nDCG@10", "recall@10", "p50 ms", "p95 ms")
    for figure in figures:
        shown.add_row(
            figure.dataset,
            figure.mode,
            str(figure.questions),
            f"{figure.ndcg_at_10:.4f}",
            f"{figure.recall_at_10:.4f}",
            f"{figure.ms_p50:.1f}",
            f"{figure.ms_p95:.1f}",
        )
    return shown


async def _run(sets: Sequence[JudgedSet], modes: Sequence[str], dsn: Callable[[str], str]) -> list[Figures]:
    figures = []
    async with open_embedder(Settings().embedding) as embedder:
        for judged in sets:
            await _ingest(judged, embedder, dsn("pilothouse_ingest"))
        with psycopg.connect(dsn("postgres"), autocommit=True) as connection:
            connection.execute("ANALYZE")
        async with _query_service(dsn("pilothouse_query"), embedder) as client:
            for judged in sets:
                names = _names(judged, dsn("pilothouse_ingest"))
                for mode in modes:
                    figures.append(await _measure(judged, mode, names, client))
                    err.print(f"{judged.name} {mode}: nDCG@10 {figures[-1].ndcg_at_10:.4f}", style="dim")
    return figures


async def _ingest(judged: JudgedSet, embedder: Embedder, url: str) -> None:
    """Puts the corpus into a collection, unless an earlier run left it there."""
    started = time.perf_counter()
    # One transaction for a whole set, however long embedding takes: half a set would be measured wrongly.
    async with await psycopg.AsyncConnection.connect(url, options=SEARCH_PATH) as connection:
        await register_vector_async(connection)
        found = await (await connection.execute(IS_COMPLETE, {"name": judged.name})).fetchone()
        if found is not None and found[0]:
            return
        space = await store.embedding_space(connection, embedder.model, embedder.dimension)
        collection = new_id()
        await connection.execute(ADD_COLLECTION, {"id": collection, "name": judged.name})
        count = 0
        for documents in _slabs(judged.folder):
            await _store(connection, collection, documents, embedder, space)
            count += len(documents)
    err.print(f"{judged.name}: {count} documents in {time.perf_counter() - started:.0f} s", style="dim")


def _slabs(folder: Path) -> Iterator[list[dict[str, str]]]:
    with gzip.open(folder / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        slab: list[dict[str, str]] = []
        for line in lines:
            document = json.loads(line)
            if (document.get("title") or "") + document["text"]:
                slab.append(document)
            if len(slab) == EMBEDDED_AT_ONCE:
                yield slab
                slab = []
        if slab:
            yield slab


async def _store(
    connection: Connection,
    collection: UUID,
    documents: Sequence[Mapping[str, str]],
    embedder: Embedder,
    space: int,
) -> None:
    """Cuts, embeds and stores documents with ingest's own functions."""
    made = []
    for document in documents:
        title = document.get("title") or ""
        parsed = parse_plain((document["text"] or title).encode())
        made.append((document["_id"], title, parsed, prepare(parsed, title, embedder, ChunkingSettings())))
    vectors = await embedder.embed_documents([text for *_, prepared in made for text in prepared.inputs])
    at = 0
    for name, title, parsed, prepared in made:
        part = vectors[at : at + len(prepared.inputs)].astype("float16")
        at += len(prepared.inputs)
        body = parsed.text.encode()
        document_id = new_id()
        row = {
            "id": document_id,
            "collection": collection,
            "external_id": name,
            "title": title,
            "size": len(body),
            # Equal texts are different documents here: the judgements name each.
            "sha256": sha256(name.encode() + body).hexdigest(),
        }
        await connection.execute(ADD_DOCUMENT, row)
        work = store.Work(document_id, collection, 1, name, "text/plain", len(body))
        words = lexemes(prepared.contexts, prepared.chunks)
        indexed = store.Indexed(title, parsed, prepared.chunks, words, part)
        await store.swap(connection, work, indexed, space=space)


@asynccontextmanager
async def _query_service(url: str, embedder: Embedder) -> AsyncIterator[httpx2.AsyncClient]:
    """The query service in this process, behind its HTTP interface."""
    settings = Settings.model_validate({"database": {"url": url}})
    app = create_app(settings, embedder=embedder)
    async with app.router.lifespan_context(app) as state:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "state": dict(state or {})}, receive, send)

        transport = httpx2.ASGITransport(app=with_state)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60) as client:
            yield client


def _names(judged: JudgedSet, url: str) -> dict[UUID, str]:
    with psycopg.connect(make_conninfo(url, options=SEARCH_PATH)) as connection:
        return dict(connection.execute(EXTERNAL_IDS, {"name": judged.name}))


async def _measure(
    judged: JudgedSet, mode: str, names: Mapping[UUID, str], client: httpx2.AsyncClient
) -> Figures:
    gains, recalls, times = [], [], []
    for question, text in judged.questions.items():
        body = {"query": text[:8000], "collections": [judged.name], "mode": mode, "top_k": 100}
        response = await client.post("/v1/search", json=body)
        response.raise_for_status()
        answer = response.json()
        ranked = best_per_document(answer["results"], names)
        gains.append(ndcg(ranked, judged.relevant[question]))
        recalls.append(recall(ranked, judged.relevant[question]))
        times.append(answer["timings_ms"]["total"])
    return Figures(
        dataset=judged.name,
        mode=mode,
        questions=len(gains),
        ndcg_at_10=round(statistics.fmean(gains), 4),
        recall_at_10=round(statistics.fmean(recalls), 4),
        ms_p50=round(statistics.median(times), 1),
        ms_p95=round(sorted(times)[int(0.95 * (len(times) - 1))], 1),
    )


def main() -> None:
    """`python -m pilothouse.evaluate DIR…`, the same as `pilothouse eval`."""
    parser = argparse.ArgumentParser(
        description="Measure how well search ranks, on judged sets in BEIR's layout."
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--limit-queries", type=int, help="only so many questions of each set")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--keep", type=Path, help="keep the database in this folder, and use it again")
    given = parser.parse_args()
    sys.exit(
        evaluate(
            given.folders, modes=given.modes, limit=given.limit_queries, output=given.json, keep=given.keep
        )
    )


if __name__ == "__main__":
    main()
