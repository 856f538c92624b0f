"""Search, prompt, answer and citations over the documents that ingest stores."""
