-- kind: expand
-- Collections, documents with their original bytes, chunks and vectors.

SET LOCAL search_path = documents, public;

-- A vector is only comparable with vectors of the same model. Every vector names its
-- space, so that a second model can be filled in beside the first and switched to.
CREATE TABLE embedding_spaces (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model       text NOT NULL UNIQUE,
    dimension   integer NOT NULL CHECK (dimension BETWEEN 1 AND 4000),
    state       text NOT NULL DEFAULT 'filling' CHECK (state IN ('filling', 'active', 'retired')),
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX embedding_spaces_one_active ON embedding_spaces (state) WHERE state = 'active';

-- readers and writers hold grants: 'everyone', 'user:<subject>', 'group:<name>'.
-- The owner may always do both. A principal's own grants are matched with &&.
CREATE TABLE collections (
    id          uuid PRIMARY KEY,
    name        text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    description text NOT NULL DEFAULT '',
    owner       text NOT NULL,
    readers     text[] NOT NULL DEFAULT '{everyone}',
    writers     text[] NOT NULL DEFAULT '{everyone}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

-- revision counts accepted uploads; indexed_revision is the one that chunks and text
-- belong to. They differ while a newer version of the same external_id is processed.
CREATE TABLE documents (
    id               uuid PRIMARY KEY,
    collection_id    uuid NOT NULL REFERENCES collections ON DELETE CASCADE,
    owner            text NOT NULL,
    external_id      text,
    title            text NOT NULL,
    filename         text NOT NULL,
    media_type       text NOT NULL,
    size_bytes       bigint NOT NULL,
    sha256           text NOT NULL CHECK (length(sha256) = 64),
    revision         integer NOT NULL DEFAULT 1,
    indexed_revision integer,
    status           text NOT NULL DEFAULT 'queued'
                     CHECK (status IN ('queued', 'parsing', 'embedding', 'indexed', 'failed')),
    progress         real NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
    chunk_count      integer NOT NULL DEFAULT 0,
    error_code       text,
    error_detail     text,
    metadata         jsonb NOT NULL DEFAULT '{}',
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CHECK ((status = 'failed') = (error_code IS NOT NULL))
);
CREATE UNIQUE INDEX documents_same_bytes ON documents (collection_id, sha256);
CREATE UNIQUE INDEX documents_external_id ON documents (collection_id, external_id)
    WHERE external_id IS NOT NULL;
CREATE INDEX documents_page ON documents (collection_id, id DESC);
CREATE INDEX documents_unfinished ON documents (status) WHERE status <> 'indexed';

-- Original bytes in slices, so that upload and download stream in bounded memory.
-- EXTERNAL: most originals are compressed already, and slices read back without inflating.
CREATE TABLE document_blobs (
    document_id uuid NOT NULL REFERENCES documents ON DELETE CASCADE,
    revision    integer NOT NULL,
    seq         integer NOT NULL,
    data        bytea NOT NULL,
    PRIMARY KEY (document_id, revision, seq)
);
ALTER TABLE document_blobs ALTER COLUMN data SET STORAGE EXTERNAL;

-- The extracted text that every offset refers to (Unicode code points).
-- pages: offset at which each page starts, page 1 first; NULL where there are no pages.
CREATE TABLE document_texts (
    document_id uuid PRIMARY KEY REFERENCES documents ON DELETE CASCADE,
    text        text NOT NULL,
    pages       integer[]
);

CREATE TABLE chunks (
    id            uuid PRIMARY KEY,
    document_id   uuid NOT NULL REFERENCES documents ON DELETE CASCADE,
    collection_id uuid NOT NULL REFERENCES collections ON DELETE CASCADE,
    ordinal       integer NOT NULL,
    text          text NOT NULL,
    start_offset  integer NOT NULL,
    end_offset    integer NOT NULL CHECK (end_offset > start_offset),
    page          integer,
    heading       text,
    token_count   integer NOT NULL,
    tokens        tsvector NOT NULL,
    UNIQUE (document_id, ordinal)
);
CREATE INDEX chunks_tokens ON chunks USING gin (tokens) WITH (fastupdate = off);
CREATE INDEX chunks_collection ON chunks (collection_id);

-- One halfvec column serves every dimension; the HNSW index of a space is partial
-- and casts to that space's dimension (built when the space is made).
CREATE TABLE chunk_embeddings (
    chunk_id      uuid NOT NULL REFERENCES chunks ON DELETE CASCADE,
    space_id      integer NOT NULL REFERENCES embedding_spaces,
    collection_id uuid NOT NULL,
    embedding     halfvec NOT NULL,
    PRIMARY KEY (chunk_id, space_id)
);
CREATE INDEX chunk_embeddings_collection ON chunk_embeddings (collection_id, space_id);

-- Creates the space with its index, or returns the one that is there. A function of the
-- schema's owner, so that ingest needs no right to create indexes. The first space made
-- becomes the active one.
CREATE FUNCTION ensure_embedding_space(p_model text, p_dimension integer) RETURNS embedding_spaces
LANGUAGE plpgsql SECURITY DEFINER SET search_path = documents, public AS $$
DECLARE
    space embedding_spaces;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('documents.embedding_spaces'));
    SELECT * INTO space FROM embedding_spaces WHERE model = p_model;
    IF NOT FOUND THEN
        INSERT INTO embedding_spaces (model, dimension, state)
        VALUES (
            p_model, p_dimension,
            CASE WHEN EXISTS (SELECT FROM embedding_spaces WHERE state = 'active') THEN 'filling' ELSE 'active' END
        ) RETURNING * INTO space;
        EXECUTE format(
            'CREATE INDEX chunk_embeddings_hnsw_%s ON chunk_embeddings '
            'USING hnsw ((embedding::halfvec(%s)) halfvec_cosine_ops) WHERE space_id = %s',
            space.id, p_dimension, space.id
        );
    END IF;
    RETURN space;
END
$$;
REVOKE ALL ON FUNCTION ensure_embedding_space FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_embedding_space TO pilothouse_ingest;

-- Listeners are woken by the collection's id; they read the truth from the table.
CREATE FUNCTION notify_document_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('documents', json_build_object(
        'collection', coalesce(NEW.collection_id, OLD.collection_id),
        'document', coalesce(NEW.id, OLD.id),
        'deleted', TG_OP = 'DELETE'
    )::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER documents_changed
    AFTER INSERT OR DELETE OR UPDATE OF status, progress ON documents
    FOR EACH ROW EXECUTE FUNCTION notify_document_change();

GRANT SELECT, INSERT, UPDATE, DELETE
    ON collections, documents, document_blobs, document_texts, chunks, chunk_embeddings
    TO pilothouse_ingest;
GRANT SELECT ON embedding_spaces TO pilothouse_ingest;
GRANT SELECT ON collections, documents, document_texts, chunks, chunk_embeddings, embedding_spaces
    TO pilothouse_query;
