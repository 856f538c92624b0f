"""Search over HTTP on a real database: ranking, permissions, filters, honest errors."""

import json
from typing import Any

import httpx2
import numpy as np
import psycopg
import pytest

from integration.query.conftest import Client
from pilothouse_core.auth import Authenticator, Principal
from pilothouse_core.auth_settings import AuthSettings
from pilothouse_core.database import open_pool
from pilothouse_core.lexical import query_tokens
from pilothouse_core.settings import DatabaseSettings
from pilothouse_core.testing import HashEmbedder
from pilothouse_query.app import SEARCH_PATH
from support.corpus import Document, add_collection
from support.database import Database

HANDBOOK = [
    Document(
        "Backups", ["The backup runs every night at 2:30.", "Copies are kept for 30 days."], {"team": "ops"}
    ),
    Document(
        "Invoices", ["Invoices are sent on the first of each month."], {"team": "finance", "year": 2026}
    ),
    Document("备份", ["备份每晚两点开始。", "副本保留三十天。"], {"team": "ops", "lang": "zh"}),
    Document("Sao lưu", ["Sao lưu chạy mỗi đêm lúc 2 giờ."], {"team": "ops", "lang": "vi"}),
]
KEY = "a test key that is long enough for HS256"


async def search(client: httpx2.AsyncClient, query: str, **options: object) -> list[dict[str, Any]]:
    response = await client.post("/v1/search", json={"query": query, **options})
    assert response.status_code == 200, response.text
    results = response.json()["results"]
    assert isinstance(results, list)
    return results


def titles(results: list[dict[str, Any]]) -> list[object]:
    return [result["title"] for result in results]


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
async def test_each_mode_finds_the_passage_in_each_language(
    database: Database, embedder: HashEmbedder, query: Client, mode: str
) -> None:
    await add_collection(database.url("pilothouse_ingest"), "handbook", HANDBOOK, embedder)
    questions = {
        "How long are copies kept?": "Backups",
        "When are invoices sent?": "Invoices",
        "副本保留多久？": "备份",
        "sao lưu lúc mấy giờ": "Sao lưu",
    }
    async with query() as client:
        for question, title in questions.items():
            results = await search(client, question, mode=mode)
            assert results[0]["title"] == title
            scores = [result["score"] for result in results]
            assert scores == sorted(scores, reverse=True)


async def test_a_result_says_where_it_stands_and_what_each_leg_thought(
    database: Database, embedder: HashEmbedder, query: Client
) -> None:
    ids = await add_collection(database.url("pilothouse_ingest"), "handbook", HANDBOOK, embedder)
    async with query() as client:
        response = await client.post("/v1/search", json={"query": "How long are copies kept?", "top_k": 1})
    (best,) = response.json()["results"]
    assert (best["document_id"], best["collection"]) == (str(ids[0]), "handbook")
    assert HANDBOOK[0].text[best["start"] : best["end"]] == best["text"] == "Copies are kept for 30 days."
    asked = await embedder.embed_query("How long are copies kept?")
    kept = (await embedder.embed_documents([best["text"]]))[0]
    assert best["scores"]["dense"] == pytest.approx(float(asked @ kept), abs=1e-3)
    assert best["scores"]["lexical"] > 0
    assert best["scores"]["rerank"] is None


async def test_times_are_measured_and_add_up(
    database: Database, embedder: HashEmbedder, query: Client
) -> None:
    await add_collection(database.url("pilothouse_ingest"), "handbook", HANDBOOK, embedder)
    async with query() as client:
        timings = {
            mode: (await client.post("/v1/search", json={"query": "copies", "mode": mode})).json()[
                "timings_ms"
            ]
            for mode in ("hybrid", "dense", "lexical")
        }
    for mode, parts in timings.items():
        stages = parts["embed"] + parts["dense"] + parts["lexical"] + parts["fuse"] + parts["rerank"]
        assert 0 < stages <= parts["total"] + 0.1, mode
    assert timings["hybrid"]["dense"] > 0
    assert timings["hybrid"]["lexical"] > 0
    assert timings["dense"]["lexical"] == 0
    assert timings["lexical"]["dense"] == timings["lexical"]["embed"] == 0


async def test_the_fused_score_is_the_documented_one(
    database: Database, embedder: HashEmbedder, query: Client
) -> None:
    """0.6 · (cosine - background) / (1 - background) + 0.4 · BM25 / best BM25."""
    words = np.random.default_rng(7)
    vocabulary = [f"word{number}" for number in range(40)]
    documents = [
        Document(f"d{number}", [" ".join(words.choice(vocabulary, 12)) + "."]) for number in range(150)
    ]
    await add_collection(database.url("pilothouse_ingest"), "random", documents, embedder)
    question = "word1 word2 word3 word3"
    async with query() as client:
        dense = await search(client, question, mode="dense", top_k=100)
        lexical = await search(client, question, mode="lexical", top_k=100)
        hybrid = await search(client, question, top_k=100)
    background = dense[-1]["score"]
    bm25 = {result["chunk_id"]: result["score"] for result in lexical}
    vectors = await embedder.embed_documents([str(result["text"]) for result in hybrid])
    cosines = vectors @ await embedder.embed_query(question)
    for result, cosine in zip(hybrid, cosines, strict=True):
        closeness = max((float(cosine) - background) / (1 - background), 0)
        share = bm25.get(result["chunk_id"], 0) / max(bm25.values())
        assert result["score"] == pytest.approx(0.6 * closeness + 0.4 * share, abs=2e-3)


async def test_words_are_ranked_by_bm25(database: Database, embedder: HashEmbedder, query: Client) -> None:
    texts = ["alpha alpha alpha beta", "alpha beta", "alpha gamma delta epsilon", "beta zeta", "eta theta"]
    documents = [Document(text, [text]) for text in texts]
    await add_collection(database.url("pilothouse_ingest"), "letters", documents, embedder)
    async with query() as client:
        results = await search(client, "alpha beta", mode="lexical")
    expected = bm25_scores("alpha beta", texts)
    assert {str(r["title"]): r["score"] for r in results} == {
        text: pytest.approx(score, abs=1e-3) for text, score in expected.items() if score > 0
    }


def bm25_scores(question: str, texts: list[str]) -> dict[str, float]:
    """Okapi BM25, k1 = 1.2, b = 0.75; the mean length is that of the texts that match."""
    tokens = query_tokens(question)
    matching = [text for text in texts if set(tokens) & set(text.split())]
    mean = sum(len(text.split()) for text in matching) / len(matching)
    scores = {}
    for text in texts:
        words, total = text.split(), 0.0
        for token in tokens:
            df = sum(1 for other in texts if token in other.split())
            tf = words.count(token)
            length = 1.2 * (0.25 + 0.75 * len(words) / mean)
            total += float(np.log(1 + (len(texts) - df + 0.5) / (df + 0.5))) * tf * 2.2 / (tf + length)
        scores[text] = total
    return scores


async def test_a_rare_word_does_not_hide_what_the_common_ones_find(
    database: Database, embedder: HashEmbedder, query: Client
) -> None:
    documents = [Document(f"d{number}", [f"alpha beta note{number}"]) for number in range(600)]
    documents.append(Document("rare", ["zyzzyva gamma"]))
    await add_collection(database.url("pilothouse_ingest"), "many", documents, embedder)
    async with query() as client:
        results = await search(client, "zyzzyva alpha note17", mode="lexical", top_k=20)
        common = await search(client, "alpha beta", mode="lexical", top_k=20)
    assert set(titles(results)[:2]) == {"d17", "rare"}
    assert len(results) == len(common) == 20


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
async def test_no_one_finds_what_they_may_not_read(
    database: Database, embedder: HashEmbedder, query: Client, mode: str
) -> None:
    url = database.url("pilothouse_ingest")
    await add_collection(url, "open", [HANDBOOK[1]], embedder)
    await add_collection(url, "team", [HANDBOOK[0]], embedder, readers=["group:ops", "user:cleo"])
    await add_collection(url, "mine", [HANDBOOK[3]], embedder, readers=[], owner="dora")
    auth = {"mode": "token", "key": KEY}
    signer = Authenticator(AuthSettings.model_validate(auth))
    visible = {
        Principal("anna"): {"Invoices"},
        Principal("bert", ("ops",)): {"Invoices", "Backups"},
        Principal("cleo"): {"Invoices", "Backups"},
        Principal("dora"): {"Invoices", "Sao lưu"},
    }
    async with query(auth=auth) as client:
        for principal, expected in visible.items():
            body = {"query": "backup invoices sao lưu copies sent", "mode": mode}
            response = await client.post("/v1/search", json=body, headers=signer.headers(principal))
            assert set(titles(response.json()["results"])) == expected, principal
        refused = await client.post("/v1/search", json={"query": "x"})
        assert refused.json()["code"] == "unauthenticated"
        hidden = await client.post(
            "/v1/search",
            json={"query": "x", "collections": ["team"]},
            headers=signer.headers(Principal("anna")),
        )
        unknown = await client.post(
            "/v1/search",
            json={"query": "x", "collections": ["nope"]},
            headers=signer.headers(Principal("anna")),
        )
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.json()["code"] == unknown.json()["code"] == "collection_not_found"


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
async def test_filters_and_collections_narrow_the_search(
    database: Database, embedder: HashEmbedder, query: Client, mode: str
) -> None:
    url = database.url("pilothouse_ingest")
    await add_collection(url, "handbook", HANDBOOK, embedder)
    await add_collection(url, "other", [Document("Copies", ["Copies of invoices are kept."])], embedder)
    text = "copies invoices backup 备份 sao lưu"
    async with query() as client:
        ops = await search(client, text, mode=mode, filter={"team": "ops"})
        zh = await search(client, text, mode=mode, filter={"team": "ops", "lang": "zh"})
        year = await search(client, text, mode=mode, filter={"year": 2026})
        none = await search(client, text, mode=mode, filter={"team": "legal"})
        other = await search(client, text, mode=mode, collections=["other"])
    assert set(titles(ops)) == {"Backups", "备份", "Sao lưu"}
    assert set(titles(zh)) == {"备份"}
    assert titles(year) == ["Invoices"]
    assert none == []
    assert titles(other) == ["Copies"]


@pytest.mark.parametrize("exact_chunks", [0, 20_000], ids=["index", "exact"])
async def test_a_filter_costs_no_recall(
    database: Database, embedder: HashEmbedder, query: Client, exact_chunks: int
) -> None:
    """The best ten of the few that pass are found among many that do not."""
    generator = np.random.default_rng(3)
    vocabulary = [f"term{number}" for number in range(200)]
    documents = [
        Document(
            f"d{number}",
            [" ".join(generator.choice(vocabulary, 20))],
            {"rare": "yes"} if number % 50 == 0 else {"rare": "no"},
        )
        for number in range(800)
    ]
    await add_collection(database.url("pilothouse_ingest"), "large", documents, embedder)
    question = "term1 term2 term3"
    asked = await embedder.embed_query(question)
    rare = [document for document in documents if document.metadata["rare"] == "yes"]
    cosines = await embedder.embed_documents([document.chunks[0] for document in rare]) @ asked
    best = [rare[index].title for index in np.argsort(-cosines)[:10]]
    async with query(search={"exact_chunks": exact_chunks}) as client:
        found = await search(client, question, mode="dense", top_k=10, filter={"rare": "yes"})
    assert titles(found) == best


async def test_above_the_limit_the_vector_index_is_used(
    database: Database, embedder: HashEmbedder, query: Client
) -> None:
    generator = np.random.default_rng(5)
    documents = [
        Document(f"d{number}", [" ".join(map(str, generator.integers(0, 500, 20)))]) for number in range(1200)
    ]
    await add_collection(database.url("pilothouse_ingest"), "large", documents, embedder)
    with psycopg.connect(database.admin, autocommit=True) as admin:
        admin.execute("ANALYZE")
    async with query(search={"exact_chunks": 0}) as client:
        found = await search(client, "17 42 99", mode="dense", top_k=10)
    with psycopg.connect(database.admin, autocommit=True) as admin:
        row = admin.execute(
            "SELECT idx_scan FROM pg_stat_all_indexes WHERE indexrelname LIKE 'chunk_embeddings_hnsw_%'"
        ).fetchone()
    assert len(found) == 10
    assert row is not None
    assert row[0] > 0


async def test_only_what_is_indexed_is_found_while_a_new_version_is_read(
    database: Database, embedder: HashEmbedder, query: Client
) -> None:
    ids = await add_collection(database.url("pilothouse_ingest"), "handbook", HANDBOOK, embedder)
    with psycopg.connect(database.admin, autocommit=True) as admin:
        admin.execute(
            "UPDATE documents.documents SET status = 'parsing', revision = 2 WHERE id = %s", (ids[0],)
        )
        admin.execute("DELETE FROM documents.documents WHERE id = %s", (ids[1],))
    async with query() as client:
        results = await search(client, "copies invoices")
    assert "Backups" in titles(results)
    assert "Invoices" not in titles(results)


async def test_an_empty_database_and_odd_questions_give_no_results(
    database: Database, embedder: HashEmbedder, query: Client
) -> None:
    async with query() as client:
        assert await search(client, "anything") == []
        await add_collection(database.url("pilothouse_ingest"), "handbook", HANDBOOK, embedder)
        assert await search(client, "🎉", mode="lexical") == []
        assert await search(client, "'; DROP TABLE chunks; -- \\ & | !", mode="lexical") == []
        assert len(await search(client, "x" * 8000)) > 0
        assert len(await search(client, "the of and")) > 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"query": ""}, 422, "invalid_request"),
        ({"query": "x", "top_k": 0}, 422, "invalid_request"),
        ({"query": "x", "top_k": 101}, 422, "invalid_request"),
        ({"query": "x", "mode": "magic"}, 422, "invalid_request"),
        ({"query": "a\x00b"}, 422, "invalid_request"),
        ({"query": "x", "filter": {"a": ["b\x00"]}}, 422, "invalid_request"),
        ({"query": "x", "filter": {"a\ud800": 1}}, 422, "invalid_request"),
        ({"query": "x", "collections": ["Not A Name"]}, 422, "invalid_request"),
        ({"query": "x", "rerank": True}, 422, "rerank_unavailable"),
    ],
)
async def test_wrong_requests_say_what_is_wrong(
    query: Client, body: dict[str, object], status: int, code: str
) -> None:
    async with query() as client:
        # By hand, as clients refuse to send half a surrogate pair.
        response = await client.post(
            "/v1/search", content=json.dumps(body), headers={"content-type": "application/json"}
        )
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"


async def test_another_models_vectors_are_not_compared(
    database: Database, embedder: HashEmbedder, query: Client
) -> None:
    other = HashEmbedder(dimension=32, model="another")
    await add_collection(database.url("pilothouse_ingest"), "handbook", HANDBOOK, other)
    async with query() as client:
        response = await client.post("/v1/search", json={"query": "copies"})
        by_words = await search(client, "copies", mode="lexical")
        ready = await client.get("/readyz")
    assert (response.status_code, response.json()["code"]) == (503, "embedding_space_missing")
    assert titles(by_words) == ["Backups"]
    assert ready.status_code == 503
    assert "another" in ready.json()["missing"]["embedding"]


async def test_the_service_cannot_write(database: Database) -> None:
    given = DatabaseSettings.model_validate({"url": database.url("pilothouse_query")})
    async with (
        open_pool(given, application_name="query", search_path=SEARCH_PATH, read_only=True) as pool,
        pool.connection() as connection,
    ):
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            await connection.execute("CREATE TEMPORARY TABLE note (text text)")
