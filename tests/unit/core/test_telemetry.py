"""What a log may hold."""

import subprocess
import sys

import pytest

PROGRAM = """
import structlog
from pilothouse_core.settings import LogSettings
from pilothouse_core.telemetry import configure_logging

def fail():
    document = "words of a private " + "document"
    raise RuntimeError("it failed")

configure_logging(LogSettings(format=FORMAT), service="test")
try:
    fail()
except RuntimeError as exc:
    structlog.get_logger().error("unexpected_error", exc_info=exc)
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_error_is_logged_with_its_place_and_without_the_variables(form: str) -> None:
    # In a process of its own, as logging is set up once for a whole process.
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("FORMAT", repr(form))], capture_output=True, text=True
    )
    assert "RuntimeError: it failed" in done.stdout
    assert "in fail" in done.stdout
    assert "words of a private document" not in done.stdout
