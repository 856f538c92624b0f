-- kind: expand
-- An active space without vectors keeps nobody from choosing another model: it is retired for the next one.
-- With vectors in it, another model's space is made beside it and stays `filling`, which nothing is compared in.

CREATE OR REPLACE FUNCTION documents.ensure_embedding_space(p_model text, p_dimension integer)
RETURNS documents.embedding_spaces
LANGUAGE plpgsql SECURITY DEFINER SET search_path = documents, public, pg_temp AS $$
DECLARE
    space embedding_spaces;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('documents.embedding_spaces'));
    SELECT * INTO space FROM embedding_spaces WHERE model = p_model;
    IF NOT FOUND THEN
        INSERT INTO embedding_spaces (model, dimension) VALUES (p_model, p_dimension) RETURNING * INTO space;
        EXECUTE format(
            'CREATE INDEX chunk_embeddings_hnsw_%s ON chunk_embeddings '
            'USING hnsw ((embedding::halfvec(%s)) halfvec_cosine_ops) WHERE space_id = %s',
            space.id, p_dimension, space.id
        );
    END IF;
    IF space.state <> 'active' THEN
        UPDATE embedding_spaces SET state = 'retired'
        WHERE state = 'active' AND NOT EXISTS (SELECT FROM chunk_embeddings WHERE space_id = embedding_spaces.id);
        UPDATE embedding_spaces SET state = 'active'
        WHERE id = space.id AND NOT EXISTS (SELECT FROM embedding_spaces WHERE state = 'active')
        RETURNING * INTO space;
        IF NOT FOUND THEN
            SELECT * INTO space FROM embedding_spaces WHERE model = p_model;
        END IF;
    END IF;
    RETURN space;
END
$$;
