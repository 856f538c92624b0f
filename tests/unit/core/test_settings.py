"""Settings as people write them: in the environment, with times in seconds or ISO 8601."""

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from pilothouse_chat_ui.settings import Settings as ChatSettings
from pilothouse_core.settings import ServiceSettings, read_settings
from pilothouse_ingest.settings import IngestSettings, WorkerProcessSettings
from pilothouse_query.settings import Settings as QuerySettings

KEY = "k" * 32


@pytest.mark.parametrize(
    ("written", "meant"), [("25", 25), ("2.5", 2.5), ("PT10S", 10), ("PT1M", 60), ("00:01:30", 90)]
)
def test_a_duration_is_seconds_or_iso_8601(
    monkeypatch: pytest.MonkeyPatch, written: str, meant: float
) -> None:
    monkeypatch.setenv("PILOTHOUSE_SERVER_GRACE", written)
    assert ServiceSettings().server.grace == timedelta(seconds=meant)


@pytest.mark.parametrize("written", ["soon", "-1", ""])
def test_anything_else_stops_the_start(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("PILOTHOUSE_SERVER_GRACE", written)
    with pytest.raises(ValidationError, match="grace"):
        ServiceSettings()


def test_names_are_group_and_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_DATABASE_POOL_MAX", "3")
    monkeypatch.setenv("PILOTHOUSE_DATABASE_URL", "postgresql://user:secret@host/name")
    settings = ServiceSettings()
    assert settings.database.pool_max == 3
    assert "secret" not in repr(settings)


def test_a_wrong_value_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_SERVER_PORT", "hunter2")
    monkeypatch.setenv("PILOTHOUSE_AUTH_MODE", "token")
    monkeypatch.setenv("PILOTHOUSE_AUTH_KEY", "too-short")
    with pytest.raises(SystemExit) as stopped:
        read_settings(ServiceSettings)
    words = str(stopped.value)
    assert "PILOTHOUSE_SERVER_PORT" in words
    assert "at least 32 bytes" in words
    assert "hunter2" not in words
    assert "too-short" not in words


def refusal(settings: type[ServiceSettings]) -> str:
    """What a person reads who starts a service with these variables."""
    with pytest.raises(SystemExit) as stopped:
        read_settings(settings)
    return str(stopped.value)


@pytest.mark.parametrize("password", ["hun%ter2", "hun/ter2", "hun@ter2", "hun%00ter2"])
def test_a_database_url_that_cannot_be_read_is_explained_without_its_password(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("PILOTHOUSE_DATABASE_URL", f"postgresql://mai:{password}@db.example:5432/pilothouse")
    words = refusal(ServiceSettings)
    assert "PILOTHOUSE_DATABASE_URL is a database URL that" in words
    assert "write % as %25" in words
    assert not [part for part in ("hun", "ter2", "mai") if part in words]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://mai:hun%2Fter%40@one:5432,two:5433/pilothouse?target_session_attrs=primary",
        "postgresql:///pilothouse?host=/run/postgresql",
        "postgresql://[::1]:5432/pilothouse",
        "host=@abstract dbname=pilothouse",
    ],
)
def test_every_form_of_a_database_url_is_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PILOTHOUSE_DATABASE_URL", url)
    assert ServiceSettings().database.url.get_secret_value() == url


def test_a_variable_may_be_given_as_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    (tmp_path / "most").write_text("3\n")
    monkeypatch.setenv("PILOTHOUSE_AUTH_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("PILOTHOUSE_DATABASE_POOL_MAX_FILE", str(tmp_path / "most"))
    settings = ServiceSettings()
    assert settings.auth.key == SecretStr(KEY)
    assert settings.database.pool_max == 3


def test_a_variable_and_its_file_are_one_too_many(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    monkeypatch.setenv("PILOTHOUSE_AUTH_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("PILOTHOUSE_AUTH_KEY", "q" * 32)
    words = refusal(ServiceSettings)
    assert "PILOTHOUSE_AUTH_KEY and PILOTHOUSE_AUTH_KEY_FILE are both set" in words
    assert KEY not in words


def test_a_file_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PILOTHOUSE_AUTH_KEY_FILE", str(tmp_path / "gone"))
    assert f"PILOTHOUSE_AUTH_KEY_FILE: the file {tmp_path / 'gone'} cannot be read" in refusal(
        ServiceSettings
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "pilothouse.example"])
def test_local_mode_listens_on_no_other_address(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("PILOTHOUSE_SERVER_HOST", host)
    words = refusal(ServiceSettings)
    assert f"cannot listen on {host}" in words
    assert "PILOTHOUSE_AUTH_MODE=token" in words


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.5", "::1", "localhost"])
def test_local_mode_listens_on_the_loopback_address(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("PILOTHOUSE_SERVER_HOST", host)
    assert ServiceSettings().server.host == host


@pytest.mark.parametrize("mode", ["proxy", "none"])
@pytest.mark.parametrize("settings", [ServiceSettings, IngestSettings, QuerySettings])
def test_only_the_page_takes_identities_from_elsewhere(
    monkeypatch: pytest.MonkeyPatch, settings: type[ServiceSettings], mode: str
) -> None:
    monkeypatch.setenv("PILOTHOUSE_AUTH_MODE", mode)
    monkeypatch.setenv("PILOTHOUSE_AUTH_KEY", KEY)
    monkeypatch.setenv("PILOTHOUSE_AUTH_PROXY_NETWORKS", "10.0.0.0/8")
    assert f"PILOTHOUSE_AUTH_MODE={mode} is for the chat page alone" in refusal(settings)


@pytest.mark.parametrize("mode", ["token", "proxy", "none"])
def test_the_page_needs_the_key_that_signs_in_every_mode_but_local(
    monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("PILOTHOUSE_AUTH_MODE", mode)
    monkeypatch.setenv("PILOTHOUSE_AUTH_API_KEYS", "robot:" + "r" * 16)
    monkeypatch.setenv("PILOTHOUSE_AUTH_PROXY_NETWORKS", "10.0.0.0/8")
    assert f"PILOTHOUSE_AUTH_MODE={mode} needs PILOTHOUSE_AUTH_KEY" in refusal(ChatSettings)


def test_a_service_that_signs_nothing_is_content_with_api_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_AUTH_MODE", "token")
    words = refusal(ServiceSettings)
    assert "needs PILOTHOUSE_AUTH_API_KEYS or PILOTHOUSE_AUTH_KEY" in words
    monkeypatch.setenv("PILOTHOUSE_AUTH_API_KEYS", "query:" + "q" * 16)
    assert ServiceSettings().auth.named_keys() == [("query", b"q" * 16)]


def test_the_worker_holds_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_AUTH_MODE", "token")
    assert WorkerProcessSettings().auth.key is None


def test_the_proxys_networks_are_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_AUTH_MODE", "proxy")
    monkeypatch.setenv("PILOTHOUSE_AUTH_KEY", KEY)
    monkeypatch.setenv("PILOTHOUSE_AUTH_PROXY_NETWORKS", "10.244.0.0/16, fd00::/8,192.0.2.7")
    assert ChatSettings().auth.proxy_networks == (
        ip_network("10.244.0.0/16"),
        ip_network("fd00::/8"),
        ip_network("192.0.2.7/32"),
    )


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("PROXY_NETWORKS", "10.0.0.0/33", "PILOTHOUSE_AUTH_PROXY_NETWORKS"),
        ("PROXY_NETWORKS", "", "needs PILOTHOUSE_AUTH_PROXY_NETWORKS"),
        ("PREVIOUS_KEY", "short", "PILOTHOUSE_AUTH_PREVIOUS_KEY must have at least 32 bytes"),
        ("API_KEYS", "robot:short", "number 1 is not `name:key`"),
        ("API_KEYS", "a:0123456789abcdef,0123456789abcdef", "number 2 is not `name:key`"),
    ],
)
def test_a_wrong_identity_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv("PILOTHOUSE_AUTH_MODE", "proxy")
    monkeypatch.setenv("PILOTHOUSE_AUTH_KEY", KEY)
    monkeypatch.setenv("PILOTHOUSE_AUTH_PROXY_NETWORKS", "10.0.0.0/8")
    monkeypatch.setenv(f"PILOTHOUSE_AUTH_{variable}", value)
    words = refusal(ChatSettings)
    assert says in words
    assert "0123456789abcdef" not in words
