"""The command line itself."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pilothouse import __version__
from pilothouse.main import app

COMMANDS = ("up", "down", "status", "logs", "ingest", "ask", "search", "doctor", "eval")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"pilothouse {__version__}\n"


def test_nothing_heavy_is_imported_before_a_command_needs_it() -> None:
    program = (
        "import sys, pilothouse.main; "
        "print({'torch', 'psycopg', 'httpx2', 'fastapi', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_status_and_down_say_that_nothing_runs(tmp_path: Path) -> None:
    env = {"PILOTHOUSE_HOME": str(tmp_path)}
    status = CliRunner().invoke(app, ["status"], env=env)
    assert (status.exit_code, "not running" in status.output) == (3, True)
    down = CliRunner().invoke(app, ["down"], env=env)
    assert (down.exit_code, "not running" in down.output) == (0, True)


def test_asking_without_a_running_product_says_how_to_start_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["ask", "Why?"], env={"PILOTHOUSE_HOME": str(tmp_path)})
    assert result.exit_code == 3
    assert "make up" in result.output


def test_a_wrong_port_is_refused_by_every_command(tmp_path: Path) -> None:
    env = {"PILOTHOUSE_HOME": str(tmp_path), "PILOTHOUSE_QUERY_PORT": "many"}
    result = CliRunner().invoke(app, ["status"], env=env)
    assert result.exit_code == 2
    assert "PILOTHOUSE_QUERY_PORT" in result.output
