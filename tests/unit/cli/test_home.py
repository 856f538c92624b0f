"""Where local mode lives and on which ports."""

from pathlib import Path

import pytest

from pilothouse.files import SUPPORTED
from pilothouse.home import SettingError, read_settings
from pilothouse_ingest.parsing.formats import EXTENSIONS


def test_ports_and_home_have_defaults() -> None:
    settings = read_settings({})
    assert settings.ports == {"chat-ui": 8080, "ingest": 8081, "query": 8082, "model-server": 8083}
    assert settings.home.path.name == ".pilothouse"
    assert settings.model_url is None


def test_the_environment_changes_port_and_home(tmp_path: Path) -> None:
    settings = read_settings({"PILOTHOUSE_QUERY_PORT": "9082", "PILOTHOUSE_HOME": str(tmp_path)})
    assert settings.ports["query"] == 9082
    assert settings.home.path == tmp_path


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1", "80.0"])
def test_a_port_that_is_none_is_refused_with_its_variable(value: str) -> None:
    with pytest.raises(SettingError, match="PILOTHOUSE_INGEST_PORT"):
        read_settings({"PILOTHOUSE_INGEST_PORT": value})


def test_a_named_model_server_replaces_the_local_one() -> None:
    settings = read_settings({"MODEL_URL": "http://gpu:8000"})
    assert settings.model_url == "http://gpu:8000"
    assert "model-server" not in settings.parts_with_ports


def test_an_empty_model_url_means_the_local_one() -> None:
    assert "model-server" in read_settings({"MODEL_URL": ""}).parts_with_ports


def test_the_command_uploads_what_the_service_reads() -> None:
    assert frozenset(EXTENSIONS) == SUPPORTED
