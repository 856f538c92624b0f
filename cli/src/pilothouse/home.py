"""Where local mode keeps things and on which ports it runs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Part name → (port, the variable that changes it).
PORTS: Mapping[str, tuple[int, str]] = {
    "chat-ui": (8080, "PILOTHOUSE_CHAT_UI_PORT"),
    "ingest": (8081, "PILOTHOUSE_INGEST_PORT"),
    "query": (8082, "PILOTHOUSE_QUERY_PORT"),
    "model-server": (8083, "PILOTHOUSE_MODEL_SERVER_PORT"),
}


class SettingError(Exception):
    """A variable of the environment has a value that makes no sense."""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder with all state of one installation."""

    path: Path

    @property
    def postgres(self) -> Path:
        """The database cluster."""
        return self.path / "postgres"

    @property
    def run(self) -> Path:
        """Sockets, state and locks; worthless once everything is stopped."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """One log per part."""
        return self.path / "logs"

    @property
    def samples_done(self) -> Path:
        """Exists once the samples have been ingested; deleting the collection later is then respected."""
        return self.path / "samples-ingested"

    def make(self) -> None:
        """Make the folders, for nobody else to read. Raises OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)

    def log(self, name: str) -> Path:
        """The log of a part."""
        return self.logs / f"{name}.log"


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """What the environment says about local mode."""

    home: Home
    ports: Mapping[str, int]
    model_url: str | None

    @property
    def parts_with_ports(self) -> dict[str, int]:
        """The ports that are really used: without a local model server when another one is named."""
        return {
            name: port for name, port in self.ports.items() if name != "model-server" or not self.model_url
        }


def read_settings(environment: Mapping[str, str] | None = None) -> LocalSettings:
    """Settings from the environment. Raises SettingError."""
    env = os.environ if environment is None else environment
    configured = env.get("PILOTHOUSE_HOME")
    root = checkout()
    default = (root or Path.home()) / ".pilothouse"
    return LocalSettings(
        home=Home(Path(configured).expanduser().absolute() if configured else default),
        ports={name: _port(env, variable, default) for name, (default, variable) in PORTS.items()},
        model_url=env.get("MODEL_URL") or env.get("PILOTHOUSE_MODEL_URL") or None,
    )


def checkout() -> Path | None:
    """The repository when this runs from one (an editable installation), else None."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "services").is_dir() and (root / "Makefile").is_file() else None


def samples() -> Path | None:
    """The folder with sample documents, which only a checkout has."""
    root = checkout()
    return root / "samples" if root and (root / "samples").is_dir() else None


def _port(env: Mapping[str, str], variable: str, default: int) -> int:
    value = env.get(variable, "").strip()
    if not value:
        return default
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise SettingError(f"{variable} is {value!r}; it must be a port number from 1 to 65535.")
    return int(value)
