"""The model itself: a folder of sentence-transformers with an ONNX graph, run by ONNX Runtime."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

Vectors: TypeAlias = NDArray[np.float32]

GRAPHS = ("model.onnx", "onnx/model.onnx")
# Of `1_Pooling/config.json`; what sentence-transformers does when the file is not there comes first.
POOLINGS = {"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token"}
LONGEST = 512
# As TEI: what lies beyond so many characters per token is not even split into tokens.
CHARACTERS_PER_TOKEN = 250


class ModelFolderError(Exception):
    """There is no usable model; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """One text as the model reads it; `cut` when it was longer than the model reads."""

    ids: list[int]
    cut: bool = False


class TextModel(Protocol):
    """Turns texts into tokens and tokens into vectors; both block."""

    name: str
    pooling: str
    dimension: int
    max_tokens: int

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each text, the model's special ones included."""
        ...

    def vectors(self, batch: Sequence[Tokens]) -> Vectors:
        """One vector per text, as pooled, of shape (len(batch), dimension)."""
        ...


class OnnxModel:
    """A loaded model."""

    def __init__(self, folder: Path, *, name: str, threads: int) -> None:
        """Raises ModelFolderError."""
        self.name = name or folder.name
        graph = next((folder / path for path in GRAPHS if (folder / path).is_file()), None)
        if graph is None:
            raise ModelFolderError(f"There is no model.onnx in {folder}. {ADVICE}")
        self.pooling = _pooling(folder)
        self.max_tokens = _longest(folder)
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as exc:  # the Rust library raises nothing narrower
            raise ModelFolderError(f"{folder / 'tokenizer.json'} cannot be read: {exc}. {ADVICE}") from exc
        self._tokenizer.enable_truncation(self.max_tokens)
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Waiting threads would spin and take the cores from whatever else runs here.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                str(graph), options, providers=["CPUExecutionProvider"]
            )
            self._wanted = {node.name for node in self._session.get_inputs()}
            self.dimension = self.vectors(self.tokens(["dimension"])).shape[1]
        except Exception as exc:  # likewise
            raise ModelFolderError(f"{graph} cannot be used: {exc}. {ADVICE}") from exc

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """See TextModel."""
        most = self.max_tokens * CHARACTERS_PER_TOKEN
        codes = self._tokenizer.encode_batch([text[:most] for text in texts])
        return [
            Tokens(code.ids, cut=bool(code.overflowing) or len(text) > most)
            for text, code in zip(texts, codes, strict=True)
        ]

    def vectors(self, batch: Sequence[Tokens]) -> Vectors:
        """See TextModel."""
        shape = (len(batch), max(len(tokens.ids) for tokens in batch))
        ids, mask = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens.ids)] = tokens.ids
            mask[row, : len(tokens.ids)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, {name: given[name] for name in self._wanted})[0]
        if self.pooling == "cls":
            return np.asarray(hidden[:, 0], dtype=np.float32)
        counted = mask[..., np.newaxis].astype(np.float32)
        return np.asarray((hidden * counted).sum(axis=1) / counted.sum(axis=1), dtype=np.float32)


ADVICE = (
    "Set PILOTHOUSE_ONNX_PATH to a folder of a sentence-transformers model with an ONNX graph; "
    "`make models` writes one to .build/models/all-MiniLM-L6-v2."
)


def find_folder(configured: Path | None) -> Path:
    """The configured folder. Raises ModelFolderError."""
    if configured is None:
        raise ModelFolderError(f"No embedding model is set. {ADVICE}")
    if not configured.is_dir():
        raise ModelFolderError(f"There is no folder {configured}. {ADVICE}")
    return configured


def _pooling(folder: Path) -> str:
    config = _json(folder / "1_Pooling" / "config.json")
    named = config.get("pooling_mode") or [
        mode for mode, flag in POOLINGS.items() if config.get(flag, mode == "mean")
    ]
    named = named if isinstance(named, list) else [named]
    others = [name for name, on in config.items() if name.startswith("pooling_mode_") and on is True]
    if len(named) != 1 or named[0] not in POOLINGS or set(others) - {POOLINGS[named[0]]}:
        raise ModelFolderError(f"The model in {folder} pools in a way that is not known here. {ADVICE}")
    return str(named[0])


def _longest(folder: Path) -> int:
    """Tokens that the model reads of a text."""
    longest = _json(folder / "sentence_bert_config.json").get("max_seq_length")
    return int(longest or _json(folder / "config.json").get("max_position_embeddings") or LONGEST)


def _json(path: Path) -> dict[str, Any]:
    """A file's object; an empty one where there is no file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise ModelFolderError(f"{path} cannot be read: {exc}. {ADVICE}") from exc
    return value if isinstance(value, dict) else {}
