"""How the services are started."""

from pathlib import Path

import pytest

from pilothouse.child import RestartPolicy, put_aside, shorten
from pilothouse.home import read_settings
from pilothouse.parts import Part, environment_of, parts_of


def parts(**environment: str) -> dict[str, Part]:
    found = parts_of(read_settings(environment), lambda role: f"postgresql://{role}@/pilothouse")
    return {part.name: part for part in found}


def test_each_service_connects_as_its_own_role() -> None:
    roles = {
        name: part.env["PILOTHOUSE_DATABASE_URL"].split("@")[0].rpartition("/")[2]
        for name, part in parts().items()
        if part.needs_database
    }
    assert roles == {
        "ingest": "pilothouse_ingest",
        "worker": "pilothouse_ingest",
        "query": "pilothouse_query",
        "chat-ui": "pilothouse_chat",
    }


def test_changed_ports_reach_those_who_call() -> None:
    found = parts(PILOTHOUSE_QUERY_PORT="9082", PILOTHOUSE_MODEL_SERVER_PORT="9083")
    assert found["chat-ui"].env["PILOTHOUSE_UPSTREAM_QUERY"] == "http://127.0.0.1:9082"
    assert found["query"].env["PILOTHOUSE_MODEL_URL"] == "http://127.0.0.1:9083"


def test_a_named_model_server_is_used_and_none_is_started() -> None:
    found = parts(MODEL_URL="http://gpu:8000")
    assert "model-server" not in found
    assert found["query"].env["PILOTHOUSE_MODEL_URL"] == "http://gpu:8000"


def test_a_service_gets_its_port_and_not_the_commands_variables() -> None:
    base = {"PILOTHOUSE_CHAT_UI_PORT": "9080", "PILOTHOUSE_HOME": "/x", "PATH": "/bin"}
    env = environment_of(parts(**base)["chat-ui"], base)
    assert env["PILOTHOUSE_SERVER_PORT"] == "9080"
    assert env["PILOTHOUSE_SERVER_HOST"] == "127.0.0.1"
    assert env["PATH"] == "/bin"
    assert not {"PILOTHOUSE_CHAT_UI_PORT", "PILOTHOUSE_HOME"} & env.keys()


def test_the_users_own_settings_reach_the_services() -> None:
    base = {"PILOTHOUSE_EMBEDDING_THREADS": "4", "PILOTHOUSE_LOG_LEVEL": "DEBUG"}
    env = environment_of(parts()["query"], base)
    assert env["PILOTHOUSE_EMBEDDING_THREADS"] == "4"
    assert env["PILOTHOUSE_LOG_LEVEL"] == "DEBUG"


@pytest.mark.parametrize("variable", ["MODEL_URL", "PILOTHOUSE_MODEL_URL", "PILOTHOUSE_GGUF"])
def test_only_the_packaged_model_is_held_to_quoting(variable: str) -> None:
    query = parts()["query"]
    assert environment_of(query, {})["PILOTHOUSE_CHAT_STYLE"] == "quote"
    assert "PILOTHOUSE_CHAT_STYLE" not in environment_of(query, {variable: "http://gpu:8000"})


def test_nothing_is_fetched_from_a_hub_unless_a_hub_model_is_named(tmp_path: Path) -> None:
    worker = parts()["worker"]
    assert environment_of(worker, {})["HF_HUB_OFFLINE"] == "1"
    assert environment_of(worker, {"PILOTHOUSE_EMBEDDING_MODEL": str(tmp_path)})["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in environment_of(worker, {"PILOTHOUSE_EMBEDDING_MODEL": "intfloat/e5-base"})


@pytest.mark.parametrize(("deaths", "pause"), [(1, 0.5), (2, 1.0), (4, 4.0), (20, 30.0)])
def test_pauses_between_restarts_grow_to_a_limit(deaths: int, pause: float) -> None:
    assert RestartPolicy().pause(deaths) == pause


def test_a_new_start_begins_with_an_empty_log_and_keeps_the_last(tmp_path: Path) -> None:
    log = tmp_path / "query.log"
    put_aside(log)
    log.write_bytes(b"x")
    put_aside(log)
    assert [path.name for path in tmp_path.iterdir()] == ["query.log.1"]


def test_a_log_that_grows_large_is_emptied_under_its_writer(tmp_path: Path) -> None:
    log = tmp_path / "query.log"
    shorten(log)
    with log.open("ab", buffering=0) as writer:
        writer.truncate(51 << 20)
        shorten(log)
        writer.write(b"next")
    assert log.read_bytes() == b"next"
    assert log.with_name("query.log.1").stat().st_size == 51 << 20
    shorten(log)
    assert log.read_bytes() == b"next"
