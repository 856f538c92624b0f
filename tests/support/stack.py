"""The whole product as a person runs it: `pilothouse up` in a folder and on ports of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil

PARTS = {"chat_ui": "CHAT_UI", "ingest": "INGEST", "query": "QUERY", "model_server": "MODEL_SERVER"}


@dataclass(frozen=True, slots=True)
class Stack:
    """A running product."""

    home: Path
    ports: Mapping[str, int]
    env: Mapping[str, str] = field(repr=False)

    def url(self, part: str) -> str:
        """Address of `chat_ui`, `ingest`, `query` or `model_server`."""
        return f"http://127.0.0.1:{self.ports[part]}"

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs `pilothouse` with these arguments against this product."""
        done = subprocess.run(
            [sys.executable, "-m", "pilothouse", *arguments],
            env=self.env,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"pilothouse {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
        return done


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert isinstance(port, int)
    return port


@contextmanager
def running_stack(home: Path, **extra_env: str) -> Iterator[Stack]:
    """Starts the product with an empty database and stops it afterwards."""
    ports = {part: free_port() for part in PARTS}
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("PILOTHOUSE_", "MODEL_URL"))
    }
    env |= {f"PILOTHOUSE_{PARTS[part]}_PORT": str(port) for part, port in ports.items()}
    env |= {"PILOTHOUSE_HOME": str(home), "NO_COLOR": "1", **extra_env}
    stack = Stack(home, ports, env)
    try:
        stack.command("up", "--no-samples")
        yield stack
    finally:
        stack.command("down", check=False)


@contextmanager
def second_replica(stack: Stack, **environment: str) -> Iterator[str]:
    """A second chat-ui on the same database, with the first one's environment but for what is given."""
    first = next(
        process
        for process in psutil.process_iter(["cmdline"])
        if "pilothouse_chat_ui" in " ".join(process.info["cmdline"] or [])
        and process.environ().get("PILOTHOUSE_SERVER_PORT") == str(stack.ports["chat_ui"])
    )
    port = free_port()
    env = {**first.environ(), "PILOTHOUSE_SERVER_PORT": str(port), **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "pilothouse_chat_ui"], env=env, stdout=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        while not ready(url):
            assert process.poll() is None, f"the second chat-ui ended with {process.returncode}"
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def ready(url: str) -> bool:
    """Whether a service answers that it can be used."""
    with suppress(httpx2.TransportError):
        return httpx2.get(f"{url}/readyz", trust_env=False).status_code == 200
    return False
