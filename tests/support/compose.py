"""The product of docker-compose.yml, under a name and on ports of its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.stack import free_port

ROOT = Path(__file__).parents[2]
PORTS = ("CHAT_UI", "INGEST", "QUERY")


@dataclass(frozen=True, slots=True)
class Project:
    """One set of containers and volumes."""

    name: str
    ports: Mapping[str, int]
    env: Mapping[str, str] = field(repr=False)

    def url(self, part: str) -> str:
        """Address of `CHAT_UI`, `INGEST` or `QUERY`."""
        return f"http://127.0.0.1:{self.ports[part]}"

    def compose(self, *arguments: str, seconds: int = 900) -> str:
        """Runs `docker compose` with these arguments; its output."""
        return _docker(["compose", "--project-name", self.name, *arguments], self.env, seconds)

    def up(self, *arguments: str) -> None:
        """Starts everything and waits until it is healthy."""
        try:
            self.compose("up", "--detach", "--wait", *arguments)
        except AssertionError as exc:
            raise AssertionError(f"{exc}\n{self.compose('ps', '--all')}\n{self.logs()}") from exc

    def logs(self, *services: str) -> str:
        """The last lines of each service."""
        return self.compose("logs", "--tail", "30", *services)

    def inspect(self) -> list[dict[str, Any]]:
        """What Docker knows of the containers, the finished ones included."""
        ids = self.compose("ps", "--all", "--quiet").split()
        found = json.loads(_docker(["inspect", *ids], self.env, 60))
        assert isinstance(found, list)
        return found

    def credentials(self) -> dict[str, str]:
        """The files in the volume of that name, read as the services read them."""
        reading = (
            "import json, pathlib; files = pathlib.Path('/credentials').iterdir();"
            "print(json.dumps({file.name: file.read_text() for file in files}))"
        )
        read = self.compose(
            "run", "--rm", "--no-deps", "--quiet-pull", "credentials", "python", "-c", reading
        )
        files = json.loads(read.splitlines()[-1])
        assert isinstance(files, dict)
        return files


def in_image(name: str, *command: str) -> str:
    """Runs a command in one of our images, with no more rights than a cluster gives; its output."""
    held = ["--read-only", "--tmpfs=/tmp", "--user=10001", "--cap-drop=ALL", "--network=none"]
    image = f"ghcr.io/pilothouse/{name}:0.1.0"
    return _docker(
        ["run", "--rm", *held, "--security-opt=no-new-privileges", image, *command], os.environ, 120
    )


def why_no_docker() -> str | None:
    """What is missing for containers on this machine."""
    if shutil.which("docker") is None:
        return "Docker is not installed"
    for command, missing in (
        (["docker", "compose", "version"], "Docker has no compose plugin"),
        (["docker", "info"], "no Docker engine answers"),
    ):
        if subprocess.run(command, capture_output=True, timeout=60).returncode:
            return missing
    return None


@contextmanager
def project(name: str) -> Iterator[Project]:
    """A project that is gone afterwards, with its volumes."""
    ports = {part: free_port() for part in PORTS}
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PILOTHOUSE_", "COMPOSE_"))}
    env |= {f"PILOTHOUSE_{part}_PORT": str(port) for part, port in ports.items()}
    made = Project(name, ports, env)
    try:
        yield made
    finally:
        made.compose("down", "--volumes", "--timeout", "20")


def _docker(arguments: list[str], env: Mapping[str, str], seconds: int) -> str:
    done = subprocess.run(
        ["docker", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, timeout=seconds
    )
    if done.returncode:
        raise AssertionError(f"docker {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout
