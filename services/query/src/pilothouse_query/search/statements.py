"""The search statements. Reads only; two statements of one REPEATABLE READ snapshot.

`SCOPE` says what the caller may search and how large it is. `SEARCH` then runs both legs and fuses
them, in one statement: permissions and filter are part of each leg, so a chunk that may not be seen
never takes the place of one that may.

The fusion adds two numbers between 0 and 1: how far the cosine lies above the background (that of the
vector leg's last candidate), and BM25 as a share of the best one. Fusing ranks instead (RRF) treats
a flat list, all that an embedder has for a language it does not know, like a sharp one: the mean nDCG@10 of
eight sets is 0.69 this way and 0.61 with RRF, and no set loses more than 0.006 (evals/README.md).

How times are measured: the row of `clocks` reads `clock_timestamp()` before and after it pulls each
leg's materialised result, in the order of its columns, and the fusion is gated by that row. So the
times are those of the legs inside the one statement, without running anything twice.
"""

from typing import LiteralString

from psycopg import sql

from pilothouse_query.search.models import Space

COLLECTIONS: LiteralString = """
SELECT name, extract(epoch FROM created_at)::bigint FROM collections
WHERE owner = %(subject)s OR readers && %(grants)s
ORDER BY name
"""


SCOPE: LiteralString = """
WITH allowed AS MATERIALIZED (
    SELECT id, name FROM collections
    WHERE (owner = %(subject)s OR readers && %(grants)s)
      AND (%(names)s::text[] IS NULL OR name = ANY(%(names)s))
),
matching AS MATERIALIZED (
    SELECT sum(chunk_count) AS chunks FROM documents
    WHERE collection_id IN (SELECT id FROM allowed) AND indexed_revision IS NOT NULL
      AND (%(filter)s::jsonb IS NULL OR metadata @> %(filter)s)
)
SELECT
    ARRAY(SELECT name FROM allowed ORDER BY name) AS collections,
    EXISTS (SELECT FROM chunks WHERE collection_id IN (SELECT id FROM allowed)) AS indexed,
    coalesce((SELECT chunks FROM matching), 0) AS chunks,
    (SELECT id FROM embedding_spaces WHERE model = %(model)s AND state = 'active') AS space_id,
    (SELECT dimension FROM embedding_spaces WHERE model = %(model)s) AS dimension,
    (SELECT model FROM embedding_spaces s
     WHERE state = 'active' AND EXISTS (SELECT FROM chunk_embeddings WHERE space_id = s.id)) AS active_model,
    -- PostgreSQL's estimate, -1 before the first ANALYZE; counting would read the whole index.
    (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'chunk_embeddings'::regclass) AS stored
"""

# An index on the vectors filters after it has searched, so a filter would cost recall: pgvector then
# goes on scanning (iterative_scan) until enough rows passed. A plan made for unknown parameters could
# not use the partial index at all, and compiling this statement would take longer than running it.
SESSION: LiteralString = """
SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),
       set_config('hnsw.ef_search', %(ef_search)s::text, true),
       set_config('hnsw.max_scan_tuples', %(scan)s::text, true),
       set_config('hnsw.scan_mem_multiplier', '4', true),
       set_config('plan_cache_mode', 'force_custom_plan', true),
       set_config('jit', 'off', true)
"""

NO_FILTER: LiteralString = "true"
FILTER_EMBEDDINGS: LiteralString = """EXISTS (
        SELECT FROM chunks JOIN documents ON documents.id = chunks.document_id
        WHERE chunks.id = chunk_embeddings.chunk_id AND documents.metadata @> %(filter)s)"""
FILTER_CHUNKS: LiteralString = """EXISTS (
        SELECT FROM documents
        WHERE documents.id = chunks.document_id AND documents.metadata @> %(filter)s)"""

# OFFSET 0 keeps the ordering out of the inner query, so that no index is used for it.
DENSE_EXACT: LiteralString = """
    SELECT chunk_id, distance FROM (
        SELECT chunk_id, embedding::halfvec({dimension}) <=> %(vector)s::halfvec({dimension}) AS distance
        FROM chunk_embeddings
        WHERE space_id = {space} AND collection_id = ANY(ARRAY(SELECT id FROM allowed))
          AND {filter_embeddings}
        OFFSET 0
    ) AS compared
    ORDER BY distance, chunk_id LIMIT %(candidates)s
"""
DENSE_APPROXIMATE: LiteralString = """
    SELECT chunk_id, embedding::halfvec({dimension}) <=> %(vector)s::halfvec({dimension}) AS distance
    FROM chunk_embeddings
    WHERE space_id = {space} AND collection_id = ANY(ARRAY(SELECT id FROM allowed)) AND {filter_embeddings}
    ORDER BY embedding::halfvec({dimension}) <=> %(vector)s::halfvec({dimension})
    LIMIT %(candidates)s
"""
DENSE_OFF: LiteralString = "SELECT NULL::uuid AS chunk_id, NULL::float8 AS distance WHERE false"

# Which chunks are ranked (`wanted`): those that hold one of the question's rarest words, word after word
# until enough chunks are found; where only very common words are left, those that hold two of them.
# The other words count in the score of what was found. Looking at every chunk that holds any word takes
# ten times as long and ranks no better.
#
# Okapi BM25 (k1 = 1.2, b = 0.75) on stock PostgreSQL. ts_rank of one word is (1 + 1/4 + ... + 1/tf²) · 6/π²,
# which gives the term frequency back; `tokens || ''` unpacks a stored tsvector once instead of per word.
LEXICAL: LiteralString = """
    SELECT chunk_id, sum(weight * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length))) AS bm25,
           sum(weight) FILTER (WHERE tf > 0) / (SELECT sum(weight) FROM terms) AS coverage
    FROM (
        SELECT id AS chunk_id, tokens || ''::tsvector AS tokens,
               token_count / (SELECT mean FROM lengths) AS length
        FROM chunks
        WHERE tokens @@ (SELECT query FROM wanted)
          AND collection_id = ANY(ARRAY(SELECT id FROM allowed)) AND {filter_chunks}
        LIMIT %(scanned)s
    ) AS found
    CROSS JOIN terms
    CROSS JOIN LATERAL (
        SELECT width_bucket(
            ts_rank('{{1,1,1,1}}', found.tokens, terms.query)::float8 * 1.64493406685,
            '{{0.5,1.125,1.306,1.392,1.444,1.478,1.502,1.520,1.534,1.545}}'::float8[]
        ) AS tf
    ) AS counted
    GROUP BY chunk_id
    ORDER BY bm25 DESC, chunk_id LIMIT %(candidates)s
"""
LEXICAL_OFF: LiteralString = """
    SELECT NULL::uuid AS chunk_id, NULL::float8 AS bm25, NULL::float8 AS coverage WHERE false
"""

SEARCH: LiteralString = """
WITH allowed AS MATERIALIZED (
    SELECT id, name FROM collections
    WHERE (owner = %(subject)s OR readers && %(grants)s)
      AND (%(names)s::text[] IS NULL OR name = ANY(%(names)s))
),
dense AS MATERIALIZED ({dense}),
common AS MATERIALIZED (
    SELECT lexeme, frequency
    FROM pg_stats,
         unnest(most_common_elems::text::text[], most_common_elem_freqs) AS stats (lexeme, frequency)
    WHERE %(chunks)s > %(counted)s
      AND schemaname = 'documents' AND tablename = 'chunks' AND attname = 'tokens'
),
terms AS MATERIALIZED (
    SELECT query, repeats * ln(1 + (%(chunks)s - df + 0.5) / (df + 0.5)) AS weight,
           df, df > 0 AND df <= %(scanned)s AND %(ranked)s > coalesce(
               sum(df) OVER (ORDER BY df, query::text ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0
           ) AS generates
    FROM (
        SELECT query::tsquery, repeats,
               least(greatest(seen, coalesce(frequency * %(chunks)s, 0)), %(chunks)s) AS df
        FROM unnest(%(lexemes)s::text[], %(queries)s::text[], %(repeats)s::float8[])
             AS asked (lexeme, query, repeats)
        LEFT JOIN common USING (lexeme)
        CROSS JOIN LATERAL (
            SELECT count(*) AS seen FROM (
                SELECT FROM chunks
                WHERE frequency IS NULL AND tokens @@ asked.query::tsquery
                  AND collection_id = ANY(ARRAY(SELECT id FROM allowed)) AND {filter_chunks}
                LIMIT %(counted)s
            ) AS matched
        ) AS counts
    ) AS frequencies
),
wanted AS MATERIALIZED (
    SELECT nullif(concat_ws(
        ' | ',
        string_agg(query::text, ' | ') FILTER (WHERE generates),
        CASE WHEN coalesce(sum(df) FILTER (WHERE generates), 0) < %(ranked)s THEN (
            SELECT string_agg(query::text, ' & ') FROM (
                SELECT query FROM terms WHERE df > 0 AND NOT generates ORDER BY df, query::text LIMIT 2
            ) AS common
        ) END
    ), '')::tsquery AS query
    FROM terms
),
lengths AS MATERIALIZED (
    SELECT greatest(avg(token_count), 1)::float8 AS mean FROM (
        SELECT token_count FROM chunks
        WHERE tokens @@ (SELECT query FROM wanted)
          AND collection_id = ANY(ARRAY(SELECT id FROM allowed)) AND {filter_chunks}
        LIMIT %(scanned)s
    ) AS matched
),
lexical AS MATERIALIZED ({lexical}),
clocks AS MATERIALIZED (
    SELECT clock_timestamp() AS began, (SELECT count(*) FROM dense) AS dense_hits,
           clock_timestamp() AS dense_done, (SELECT count(*) FROM lexical) AS lexical_hits,
           clock_timestamp() AS lexical_done
),
candidates AS MATERIALIZED (
    SELECT chunk_id, {cosine} AS cosine, bm25, coverage
    FROM dense FULL JOIN lexical USING (chunk_id)
    WHERE (SELECT lexical_done FROM clocks) IS NOT NULL
),
scales AS MATERIALIZED (
    SELECT (SELECT 1 - max(distance) FROM dense) AS background, (SELECT max(bm25) FROM lexical) AS best
),
fused AS MATERIALIZED (
    SELECT chunk_id, cosine, bm25, coverage,
           %(dense_weight)s * greatest(coalesce((cosine - background) / nullif(1 - background, 0), 0), 0)
           + (1 - %(dense_weight)s) * coalesce(bm25 / nullif(best, 0), 0) AS fused
    FROM candidates CROSS JOIN scales
    ORDER BY fused DESC, chunk_id LIMIT %(limit)s
),
hits AS MATERIALIZED (
    SELECT chunks.id AS chunk_id, chunks.document_id, allowed.name AS collection, documents.title,
           chunks.text, chunks.start_offset, chunks.end_offset, chunks.page, chunks.heading,
           fused.fused, fused.cosine, fused.bm25, fused.coverage
    FROM fused
    JOIN chunks ON chunks.id = fused.chunk_id
    JOIN documents ON documents.id = chunks.document_id
    JOIN allowed ON allowed.id = chunks.collection_id
)
SELECT hits.*,
       extract(epoch FROM dense_done - began)::float8 * 1000 AS dense_ms,
       extract(epoch FROM lexical_done - dense_done)::float8 * 1000 AS lexical_ms,
       extract(epoch FROM clock_timestamp() - lexical_done)::float8 * 1000 AS fuse_ms
FROM clocks LEFT JOIN hits ON true
ORDER BY fused DESC, chunk_id
"""
# A hit of the lexical leg alone gets its cosine too: it says how close the chunk is.
COSINE: LiteralString = """1 - coalesce(distance, (
        SELECT embedding::halfvec({dimension}) <=> %(vector)s::halfvec({dimension})
        FROM chunk_embeddings AS stored
        WHERE stored.chunk_id = coalesce(dense.chunk_id, lexical.chunk_id) AND space_id = {space}))"""
NO_COSINE: LiteralString = "NULL::float8"


def search_statement(*, space: Space | None, exact: bool, words: bool, filtered: bool) -> sql.Composed:
    """The statement with a leg for a space's vectors, one for words, or both.

    Space and dimension are part of its text: an index that is partial and casts is only matched by
    constants.
    """
    filters = {
        "filter_embeddings": sql.SQL(FILTER_EMBEDDINGS if filtered else NO_FILTER),
        "filter_chunks": sql.SQL(FILTER_CHUNKS if filtered else NO_FILTER),
    }
    dense, cosine = sql.SQL(DENSE_OFF).format(), sql.SQL(NO_COSINE).format()
    if space is not None:
        constants = {"space": sql.Literal(space.id), "dimension": sql.Literal(space.dimension)}
        leg = DENSE_EXACT if exact else DENSE_APPROXIMATE
        dense = sql.SQL(leg).format(**constants, filter_embeddings=filters["filter_embeddings"])
        cosine = sql.SQL(COSINE).format(**constants)
    lexical = sql.SQL(LEXICAL_OFF).format()
    if words:
        lexical = sql.SQL(LEXICAL).format(filter_chunks=filters["filter_chunks"])
    return sql.SQL(SEARCH).format(
        dense=dense, lexical=lexical, cosine=cosine, filter_chunks=filters["filter_chunks"]
    )
