"""Finding the model file."""

from pathlib import Path

import pytest

from pilothouse_model_server.chat.weights import ModelFileError, find_model


def write(folder: Path, name: str, content: bytes = b"GGUF\x03") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct"),
        ("qwen2.5-0.5b-instruct-q4_k_m.gguf", "qwen2.5-0.5b-instruct"),
        ("tiny.F16.gguf", "tiny"),
        ("plain.gguf", "plain"),
    ],
)
def test_the_models_name_is_the_files_without_its_quantization(tmp_path: Path, file: str, name: str) -> None:
    assert find_model(write(tmp_path, file)).name == name


def test_a_missing_file_is_named_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"no model file at .*gone\.gguf.*PILOTHOUSE_GGUF"):
        find_model(tmp_path / "gone.gguf")


@pytest.mark.parametrize("content", [b"", b"GG", b"<html>not found</html>"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelFileError, match="not a GGUF model file"):
        find_model(write(tmp_path, "page.gguf", content))


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be read"):
        find_model(tmp_path)


def test_the_packaged_model_is_found_without_importing_its_package() -> None:
    file = find_model(None)
    assert file.name == "SmolLM2-135M-Instruct"
    assert file.size > 50 << 20
