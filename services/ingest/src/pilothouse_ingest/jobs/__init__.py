"""The queue of documents to index."""
