-- kind: expand
-- Every service looks here at its start and before it says that it is ready.

GRANT SELECT ON public.pilothouse_migrations TO pilothouse_ingest, pilothouse_query, pilothouse_chat;
