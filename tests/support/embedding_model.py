"""Stands in for ONNX Runtime in the embedding server."""

import threading
from collections.abc import Sequence

import numpy as np

from pilothouse_model_server.embeddings.model import Tokens, Vectors


class ScriptedModel:
    """A token per word; a text's vector is (its tokens, its first letter's code). May be held up, or fail."""

    name = "Tiny"
    pooling = "mean"
    dimension = 2

    def __init__(self, *, max_tokens: int = 5, error: Exception | None = None) -> None:
        self.max_tokens = max_tokens
        self.go = threading.Event()
        self.go.set()
        self.began = threading.Event()
        self.batches: list[list[list[int]]] = []
        self._error = error

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        counted = [(text, len(text.split())) for text in texts]
        return [Tokens([ord(text[0])] * min(n, self.max_tokens), n > self.max_tokens) for text, n in counted]

    def vectors(self, batch: Sequence[Tokens]) -> Vectors:
        self.batches.append([tokens.ids for tokens in batch])
        self.began.set()
        assert self.go.wait(30)
        if self._error:
            raise self._error
        return np.array([(len(tokens.ids), tokens.ids[0]) for tokens in batch], dtype=np.float32)
