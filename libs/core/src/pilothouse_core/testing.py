"""Honest stand-ins for tests: small, deterministic, and held to the real ports' contracts."""

import hashlib
from collections.abc import Sequence

import numpy as np

from pilothouse_core.embedding import TokenEstimator, Vectors
from pilothouse_core.lexical import document_tokens


class HashEmbedder:
    """Embeds a text as the normalised sum of its tokens' random directions.

    Texts that share words are close, others are nearly orthogonal; the same text gives
    the same vector in every process.
    """

    def __init__(self, *, dimension: int = 64, max_tokens: int = 256, model: str = "hash") -> None:
        self.fault: str | None = None
        self.away: str | None = None
        self.model = model
        self.dimension = dimension
        self.max_tokens = max_tokens
        self._tokens = TokenEstimator()

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.stack([self._vector(text) for text in texts])

    async def embed_query(self, text: str) -> Vectors:
        return self._vector(text)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._tokens.count(texts)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return self._tokens.offsets(text)

    def _vector(self, text: str) -> Vectors:
        total = np.zeros(self.dimension, dtype=np.float64)
        for token in document_tokens(text) or [text]:
            seed = int.from_bytes(hashlib.sha256(token.encode()).digest()[:8], "big")
            total += np.random.default_rng(seed).standard_normal(self.dimension)
        return np.asarray(total / np.linalg.norm(total), dtype=np.float32)
