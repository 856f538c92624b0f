"""Pilothouse ingest: the API that accepts documents and the worker that indexes them."""
