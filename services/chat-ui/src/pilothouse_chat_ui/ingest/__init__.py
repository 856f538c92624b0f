"""The way through to the ingest service, with the caller's identity."""
