"""Settings as people write them: in the environment, with times in seconds or ISO 8601."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from pilothouse_core.settings import ServiceSettings, read_settings


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
