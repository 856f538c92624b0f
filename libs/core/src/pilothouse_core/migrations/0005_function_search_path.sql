-- kind: expand
-- The function runs with its owner's rights. Unless named, a caller's temporary tables are looked through
-- first, and one named embedding_spaces could bring a trigger of the caller's along.
ALTER FUNCTION documents.ensure_embedding_space(text, integer)
    SET search_path = documents, public, pg_temp;
