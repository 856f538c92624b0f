"""ONNX Runtime instead of torch: the vectors are those of local mode; a wrong folder is refused in words."""

import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import numpy as np
import pytest

from pilothouse_core.embedding import SentenceTransformerEmbedder, TeiEmbedder
from pilothouse_core.settings import EmbeddingSettings
from pilothouse_model_server.embeddings.app import create_app
from pilothouse_model_server.embeddings.model import ModelFolderError, OnnxModel, find_folder
from pilothouse_model_server.settings import EmbeddingsSettings

FOLDER = Path(__file__).parents[3] / ".build" / "models" / "all-MiniLM-L6-v2"
TEXTS = [
    "How do I restore a backup?",
    "Sao lưu và khôi phục dữ liệu như thế nào? Hãy chạy lệnh này trước khi nâng cấp.",
    "如何恢复备份？请在升级之前运行此命令。" * 30,
    "バックアップを復元するにはどうすればよいですか。",
    "백업을 어떻게 복원합니까?",
    "จะกู้คืนข้อมูลสำรองได้อย่างไร",
    "Как восстановить резервную копию? " * 100,
    "كيف أستعيد النسخة الاحتياطية؟",
    "Größenänderung: naïve Straßencafés, ½ €",
    "def restore(path: str) -> None:\n    '''Reads it.'''\n\treturn None  # " + "x" * 300,
    " ",
    "?",
    "🙂👍🏽" * 40,
    "\u0000\ufffd\u200b zero width",
    *(f"word{number} " * number for number in (1, 2, 7, 64, 127, 250, 253, 254, 255, 256, 400)),
]


@pytest.fixture(scope="module")
def model() -> OnnxModel:
    if not (FOLDER / "model.onnx").is_file():
        pytest.skip("the ONNX model is not there; `make models` writes it")
    return OnnxModel(FOLDER, name="", threads=1)


@pytest.fixture
async def client(model: OnnxModel) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(EmbeddingsSettings(), model)
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(base_url="http://127.0.0.1", transport=transport, timeout=60) as client,
    ):
        yield client


async def test_vectors_are_those_of_local_mode_in_every_language_and_length(
    client: httpx2.AsyncClient,
) -> None:
    server = TeiEmbedder(client, batch_size=32)
    await server.start()
    local = SentenceTransformerEmbedder(EmbeddingSettings(threads=1))
    assert (server.model, server.dimension, server.max_tokens) == (
        local.model,
        local.dimension,
        local.max_tokens,
    )
    difference = np.abs(await server.embed_documents(TEXTS) - await local.embed_documents(TEXTS))
    assert difference.max() < 1e-4
    question = TEXTS[0]
    assert np.abs(await server.embed_query(question) - await local.embed_query(question)).max() < 1e-4
    local.close()


async def test_a_text_with_more_tokens_than_the_model_reads_is_refused_unless_cut(
    client: httpx2.AsyncClient,
) -> None:
    fits, long = "word " * 254, "word " * 255
    statuses = [(await client.post("/embed", json={"inputs": text})).status_code for text in (fits, long)]
    assert statuses == [200, 422]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "model.onnx").unlink(), "There is no model.onnx"),
        (lambda folder: (folder / "model.onnx").write_bytes(b"<html>"), "cannot be used"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer.json cannot be read"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json cannot be read"),
        (
            lambda folder: (folder / "1_Pooling" / "config.json").write_text(
                json.dumps({"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": False})
            ),
            "pools in a way",
        ),
    ],
)
def test_a_folder_that_is_no_model_is_refused_with_what_to_do(
    model: OnnxModel, tmp_path: Path, spoil: object, words: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(FOLDER, folder)
    (folder / "sentence_bert_config.json").unlink()
    assert callable(spoil)
    spoil(folder)
    with pytest.raises(ModelFolderError, match=words) as refused:
        OnnxModel(folder, name="", threads=1)
    assert "PILOTHOUSE_ONNX_PATH" in str(refused.value)


def test_without_a_folder_the_start_ends_with_a_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pilothouse_model_server", "embeddings"],
        capture_output=True,
        text=True,
        env={"PATH": ""},
    )
    assert done.returncode == 1
    assert "The embedding server cannot start. No embedding model is set." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="There is no folder"):
        find_folder(tmp_path / "gone")
