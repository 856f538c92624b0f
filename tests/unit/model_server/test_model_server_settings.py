"""Where each part listens, and how many cores it takes."""

from pathlib import Path

import pytest

from pilothouse_chat_ui.settings import Settings as ChatSettings
from pilothouse_core.settings import ServiceSettings
from pilothouse_ingest.settings import IngestSettings
from pilothouse_model_server.cores import cores
from pilothouse_model_server.settings import EmbeddingsSettings, Settings
from pilothouse_query.settings import Settings as QuerySettings


@pytest.mark.parametrize(
    ("settings", "port"),
    [
        (ChatSettings, 8080),
        (IngestSettings, 8081),
        (QuerySettings, 8082),
        (Settings, 8083),
        (EmbeddingsSettings, 8085),
    ],
)
def test_a_host_of_ones_own_leaves_the_port_as_it_was(
    settings: type[ServiceSettings], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTHOUSE_SERVER_HOST", "127.0.0.1")
    assert settings().server.port == port


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "100000 100000"}, 1),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
    ],
)
def test_a_container_held_to_a_core_counts_one(tmp_path: Path, files: dict[str, str], expected: int) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    assert cores(tmp_path) == expected


@pytest.mark.parametrize("text", ["max 100000", "", "6400000 100000", "no numbers"])
def test_without_a_limit_all_cores_count(tmp_path: Path, text: str) -> None:
    (tmp_path / "cpu.max").write_text(text)
    assert cores(tmp_path) == cores(tmp_path / "nothing")
