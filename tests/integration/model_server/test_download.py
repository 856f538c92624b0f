"""The download of a model, as a job runs it, from a hub on this machine."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.model_hub import COMMIT, Hub, served_hub

REPOSITORY = "acme/tiny-model"
TOKEN = "hf_" + "secretword" * 3
FILES = {
    "config.json": b"{}",
    "model-00001-of-00002.safetensors": b"a" * 3_000_000,
    "model-00002-of-00002.safetensors": b"b" * 1000,
    "pytorch_model.bin": b"c" * 4000,
    "onnx/model.onnx": b"d" * 100,
}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with served_hub(Hub(REPOSITORY, dict(FILES))) as served:
        yield served


def run(
    hub: Hub, folder: Path, *arguments: str, repository: str = REPOSITORY, **env: str
) -> subprocess.CompletedProcess[str]:
    # Somebody's own token or proxy would change what the hub on this machine is asked.
    theirs = re.compile(r"HF_.*|.*_proxy", re.IGNORECASE)
    inherited = {name: value for name, value in os.environ.items() if not theirs.fullmatch(name)}
    given = {"HF_ENDPOINT": hub.address, "HF_HUB_OFFLINE": "1", "PILOTHOUSE_LOG_FORMAT": "json"}
    place = folder / "acme--tiny-model" / "main"
    command = [sys.executable, "-m", "pilothouse_model_server.download", repository, "--folder", str(place)]
    return subprocess.run(
        [*command, *arguments], env={**inherited, **given, **env}, capture_output=True, text=True
    )


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_model_is_fetched_whole_once_and_needs_no_network_then(hub: Hub, tmp_path: Path) -> None:
    first = run(hub, tmp_path)
    place = tmp_path / "acme--tiny-model" / "main"
    assert first.returncode == 0, first.stderr
    assert names(place) == {
        "config.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        ".complete",
    }
    assert (place / "model-00001-of-00002.safetensors").read_bytes() == FILES[
        "model-00001-of-00002.safetensors"
    ]
    assert json.loads((place / ".complete").read_text())["commit"] == COMMIT
    assert names(tmp_path) == {f"acme--tiny-model/main/{name}" for name in names(place)} | {
        "acme--tiny-model/.lock"
    }
    hub.status = 503
    asked = len(hub.asked)
    again = run(hub, tmp_path)
    assert (again.returncode, len(hub.asked)) == (0, asked)
    assert "model_is_there" in again.stdout


def test_the_log_tells_how_far_it_is_and_no_bar_is_drawn(hub: Hub, tmp_path: Path) -> None:
    done = run(hub, tmp_path)
    reports = [json.loads(line) for line in done.stdout.splitlines() if "downloading" in line]
    assert (reports[-1]["percent"], reports[-1]["of_mib"]) == (100, 2)
    assert {"mib", "mib_per_second"} <= reports[-1].keys()
    assert "\r" not in done.stdout + done.stderr


def test_only_the_chosen_files_are_fetched(hub: Hub, tmp_path: Path) -> None:
    done = run(hub, tmp_path, "--include", "*.json", "--include", "onnx/*")
    assert done.returncode == 0, done.stderr
    assert names(tmp_path / "acme--tiny-model" / "main") == {"config.json", "onnx/model.onnx", ".complete"}
    other = run(hub, tmp_path, "--include", "*.json")
    assert other.returncode == 1
    assert "Delete the folder" in other.stderr
    none = run(hub, tmp_path / "b", "--include", "*.gguf")
    assert none.returncode == 1
    assert "No file of acme/tiny-model is chosen" in none.stderr


def test_a_run_that_was_cut_off_goes_on_with_what_is_missing(hub: Hub, tmp_path: Path) -> None:
    # The hub lists a file longer than it gives it: what a connection that was cut looks like.
    class Longer(bytes):
        def __len__(self) -> int:
            return 5000

    good = hub.files.pop("model-00002-of-00002.safetensors")
    hub.files["model-00002-of-00002.safetensors"] = Longer(b"b" * 10)
    assert run(hub, tmp_path).returncode == 1
    assert not (tmp_path / "acme--tiny-model" / "main").exists()
    hub.files["model-00002-of-00002.safetensors"] = good
    hub.asked.clear()
    assert run(hub, tmp_path).returncode == 0
    fetched = [line for line in hub.asked if line.startswith("GET /acme")]
    assert [line.rsplit("/", 1)[1] for line in fetched] == ["model-00002-of-00002.safetensors"]


def test_a_private_model_is_opened_by_the_token_of_a_file_which_no_log_shows(
    hub: Hub, tmp_path: Path
) -> None:
    hub.token = TOKEN
    (tmp_path / "token").write_text(TOKEN + "\n")
    without = run(hub, tmp_path / "a")
    assert without.returncode == 1
    assert "HF_TOKEN is not set" in without.stderr
    wrong = run(hub, tmp_path / "a", HF_TOKEN="hf_wrong")
    assert "HF_TOKEN does not open it" in wrong.stderr
    right = run(hub, tmp_path / "a", HF_TOKEN_FILE=str(tmp_path / "token"))
    assert right.returncode == 0, right.stderr
    assert TOKEN not in right.stdout + right.stderr


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        ({"gated": True}, [], "accepted its terms"),
        ({}, ["--revision", "gone"], "has no revision gone"),
        ({"repository": "acme/other"}, [], "There is no model acme/tiny-model"),
        ({"status": 500}, [], "answers with status 500"),
        ({"status": 429}, [], "asks for patience"),
        ({"address": "http://127.0.0.1:9"}, [], "cannot be reached"),
        ({}, ["--revision", "../../etc"], "is no name of a model"),
    ],
)
def test_a_refusal_is_a_sentence(
    hub: Hub, tmp_path: Path, change: dict[str, object], arguments: list[str], words: str
) -> None:
    for name, value in change.items():
        setattr(hub, name, value)
    done = run(hub, tmp_path, *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("The model was not downloaded. ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_volume_that_is_too_small_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return 1 << 60

    with served_hub(Hub(REPOSITORY, {"model.safetensors": Huge()})) as hub:
        done = run(hub, tmp_path)
    assert done.returncode == 1
    assert "MiB are missing and" in done.stderr
    assert not any("resolve" in line for line in hub.asked)


def test_a_folder_of_somebody_else_is_left_alone(hub: Hub, tmp_path: Path) -> None:
    place = tmp_path / "acme--tiny-model" / "main"
    place.mkdir(parents=True)
    (place / "mine.safetensors").write_text("mine")
    done = run(hub, tmp_path)
    assert done.returncode == 1
    assert "Create the empty file" in done.stderr
    (place / ".complete").touch()
    assert run(hub, tmp_path).returncode == 0
    assert names(place) == {"mine.safetensors", ".complete"}
