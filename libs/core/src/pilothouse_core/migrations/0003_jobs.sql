-- kind: expand
-- The job queue's own schema, read from the installed procrastinate package.

SET LOCAL search_path = jobs;

-- include: procrastinate/sql/schema.sql

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jobs TO pilothouse_ingest;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA jobs TO pilothouse_ingest;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA jobs TO pilothouse_ingest;
