-- kind: expand
-- Three schemas, one per owner of data: documents (ingest writes, query reads),
-- jobs (the procrastinate queue), chat (sessions, written by chat-ui alone).
-- Roles are created without a password and without LOGIN; whoever installs the
-- database (the local supervisor, CloudNativePG's managed roles, an administrator)
-- gives them both. An existing role is left as it is.

CREATE EXTENSION IF NOT EXISTS vector;

DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['pilothouse_ingest', 'pilothouse_query', 'pilothouse_chat'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        END IF;
    END LOOP;
END
$$;

CREATE SCHEMA documents;
CREATE SCHEMA chat;
CREATE SCHEMA jobs;

GRANT USAGE ON SCHEMA documents TO pilothouse_ingest, pilothouse_query;
GRANT USAGE ON SCHEMA jobs TO pilothouse_ingest;
GRANT USAGE ON SCHEMA chat TO pilothouse_chat;
