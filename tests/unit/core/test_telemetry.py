"""What a log may hold."""

import logging
import subprocess
import sys

import pytest

from pilothouse_core.telemetry import REPEAT_SECONDS, Unrepeated

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


def test_a_line_that_comes_each_second_is_shown_once_a_minute() -> None:
    passes = Unrepeated()

    def shown(line: str, second: float) -> bool:
        record = logging.LogRecord("psycopg.pool", logging.WARNING, "", 0, line, None, None)
        record.created = second
        return passes.filter(record)

    lines = [("away", 0), ("given up", 1), ("away", 2), ("given up", 3), ("refused", 4)]
    assert [shown(*line) for line in lines] == [True, True, False, False, True]
    assert shown("away", REPEAT_SECONDS + 1)
