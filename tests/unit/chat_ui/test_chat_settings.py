"""Settings as they come from the environment."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from pilothouse_chat_ui.settings import Settings


@pytest.mark.parametrize(("text", "seconds"), [("20", 20), ("12.5", 12.5), ("PT20S", 20), ("00:00:20", 20)])
def test_durations_are_seconds_or_iso_8601(
    monkeypatch: pytest.MonkeyPatch, text: str, seconds: float
) -> None:
    monkeypatch.setenv("PILOTHOUSE_RUN_LEASE", text)
    assert Settings().run.lease == timedelta(seconds=seconds)


@pytest.mark.parametrize(("name", "text"), [("RUN_LEASE", "5"), ("RUN_LEASE", "soon"), ("RUN_POLL", "-1")])
def test_a_wrong_duration_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.setenv(f"PILOTHOUSE_{name}", text)
    with pytest.raises(ValidationError):
        Settings()


def test_the_supervisors_variables_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SERVER_PORT": "18400",
        "UPSTREAM_QUERY": "http://127.0.0.1:1",
        "UPSTREAM_INGEST": "http://127.0.0.1:2",
        "SAMPLES_PATH": "/somewhere",
    }.items():
        monkeypatch.setenv(f"PILOTHOUSE_{name}", value)
    settings = Settings()
    assert settings.server.port == 18400
    assert str(settings.upstream.query) == "http://127.0.0.1:1/"
    assert str(settings.samples.path) == "/somewhere"
    assert Settings.model_fields["server"].get_default(call_default_factory=True).port == 8080
