"""The model itself: llama.cpp in this process."""

import secrets
from collections.abc import Callable
from typing import Any, Protocol

import xllamacpp

from pilothouse_model_server.chat.weights import ModelFile, ModelFileError
from pilothouse_model_server.settings import LlamaSettings

# A chunk, or {"error": {...}}; answering True ends the generation.
OnChunk = Callable[[dict[str, Any]], bool]

# Also the steps in which a long prompt can be given up, about a second on a slow machine.
_BATCH = 256
_PROMPT_CACHE_MIB = 256


class ChatEngine(Protocol):
    """Answers one request at a time per thread, chunk by chunk."""

    def generate(self, request: dict[str, Any], on_chunk: OnChunk) -> None:
        """Blocks until the answer is complete or `on_chunk` asked to stop.

        Raises ValueError for a request that the chat template cannot take.
        """


class LlamaEngine:
    """A loaded GGUF model."""

    def __init__(self, file: ModelFile, settings: LlamaSettings) -> None:
        """Load the weights, which takes about a second per 100 MB. Raises ModelFileError."""
        params = xllamacpp.CommonParams()
        params.model.path = str(file.path)
        params.model_alias = {file.name}
        # llama.cpp divides its context among the slots.
        params.n_ctx = settings.context * settings.slots
        params.n_parallel = settings.slots
        params.n_batch = _BATCH
        params.cache_ram_mib = _PROMPT_CACHE_MIB
        for pool in (params.cpuparams, params.cpuparams_batch):
            pool.n_threads = settings.threads
            # Waiting threads would spin and take the cores from the database and the embedder.
            pool.poll = 0
        # Its own guess at what fits would change the context that we promise.
        params.fit_params = False
        params.verbosity = 1
        # The binding always opens llama.cpp's own HTTP port as well, on a random port of this machine;
        # a key that nobody knows shuts it.
        params.api_keys = [secrets.token_hex(32)]
        params.hostnames = ["127.0.0.1"]
        params.ui = False
        try:
            self._server = xllamacpp.Server(params)
        except RuntimeError as exc:
            raise ModelFileError(
                f"{file.path} could not be loaded: the file is damaged or incomplete, of a kind that this "
                f"llama.cpp does not know, or there is too little memory for its {file.size >> 20} MiB. "
                "Fetch it again or set PILOTHOUSE_GGUF to another model file."
            ) from exc

    def generate(self, request: dict[str, Any], on_chunk: OnChunk) -> None:
        """See ChatEngine."""
        self._server.handle_chat_completions(request, on_chunk)
