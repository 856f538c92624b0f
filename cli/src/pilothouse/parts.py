"""The services of local mode: how each is started and how one knows that it is ready."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pilothouse.home import PORTS, LocalSettings, samples
from pilothouse.postgres import EmbeddedPostgres

DATABASE = "pilothouse"
PACKAGED_EMBEDDING_MODEL = "all-MiniLM-L6-v2"

# Ours to give; a service must not take the command's variables for its own.
_COMMAND_VARIABLES = {"PILOTHOUSE_HOME", "MODEL_URL", *(variable for _, variable in PORTS.values())}

# Each names a model of the user's own.
_OWN_MODEL_VARIABLES = ("MODEL_URL", "PILOTHOUSE_MODEL_URL", "PILOTHOUSE_GGUF")

# 135 million parameters select sentences well and write badly, and two cores read a prompt
# at some 250 tokens a second.
_FOR_THE_PACKAGED_MODEL = {
    "PILOTHOUSE_CHAT_STYLE": "quote",
    "PILOTHOUSE_CHAT_CONTEXT_TOKENS": "500",
    "PILOTHOUSE_CHAT_HISTORY_TOKENS": "0",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One process."""

    name: str
    # What the Python interpreter is given.
    arguments: tuple[str, ...]
    port: int | None = None
    needs_database: bool = True
    # Higher is more patient: how far it steps back when others want the processor.
    niceness: int = 0
    # Variables that do not depend on the user's; the user's own win where the supervisor has no reason.
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        """Its command line."""
        return [sys.executable, *self.arguments]


def parts_of(settings: LocalSettings, dsn: Callable[[str], str]) -> list[Part]:
    """All parts in the order in which they are started; `dsn` gives a role's connection string."""
    ports = settings.ports
    model_url = settings.model_url or _local(ports["model-server"])
    parts = []
    if not settings.model_url:
        parts.append(
            Part(
                "model-server",
                ("-m", "pilothouse_model_server"),
                port=ports["model-server"],
                needs_database=False,
            )
        )
    ingest = {"PILOTHOUSE_DATABASE_URL": dsn("pilothouse_ingest")}
    page = {
        "PILOTHOUSE_DATABASE_URL": dsn("pilothouse_chat"),
        "PILOTHOUSE_UPSTREAM_INGEST": _local(ports["ingest"]),
        "PILOTHOUSE_UPSTREAM_QUERY": _local(ports["query"]),
    }
    if folder := samples():
        page["PILOTHOUSE_SAMPLES_PATH"] = str(folder)
    return [
        *parts,
        Part("ingest", ("-m", "pilothouse_ingest", "api"), port=ports["ingest"], env=ingest),
        # Indexing a folder must not make the answers slow that somebody waits for.
        Part("worker", ("-m", "pilothouse_ingest", "worker"), env=ingest, niceness=10),
        Part(
            "query",
            ("-m", "pilothouse_query"),
            port=ports["query"],
            env={
                "PILOTHOUSE_DATABASE_URL": dsn("pilothouse_query"),
                "PILOTHOUSE_MODEL_URL": model_url,
            },
        ),
        Part("chat-ui", ("-m", "pilothouse_chat_ui"), port=ports["chat-ui"], env=page),
    ]


def environment_of(part: Part, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a part's process."""
    given = os.environ if base is None else base
    env = {name: value for name, value in given.items() if name not in _COMMAND_VARIABLES}
    defaults = {
        "PYTHONUNBUFFERED": "1",
        # Progress bars make no sense in a log.
        "TQDM_DISABLE": "1",
        # Forked parser processes would deadlock in the tokenizer's own threads.
        "TOKENIZERS_PARALLELISM": "false",
        # Idle compute threads sleep instead of spinning: all parts share the same few cores.
        "OMP_WAIT_POLICY": "PASSIVE",
        "PILOTHOUSE_SERVER_GRACE": "PT10S",
    }
    if part.name == "query":
        # One short question at a time is faster on one thread than divided.
        defaults["PILOTHOUSE_EMBEDDING_THREADS"] = "1"
        if not any(given.get(name) for name in _OWN_MODEL_VARIABLES):
            defaults |= _FOR_THE_PACKAGED_MODEL
    model = env.get("PILOTHOUSE_EMBEDDING_MODEL", PACKAGED_EMBEDDING_MODEL)
    if model == PACKAGED_EMBEDDING_MODEL or os.path.isdir(model):
        # Nothing is fetched from a model hub unless the user named a model there.
        defaults["HF_HUB_OFFLINE"] = "1"
    env = {**defaults, **env, **part.env, "PILOTHOUSE_SERVER_HOST": "127.0.0.1"}
    if part.port is not None:
        env["PILOTHOUSE_SERVER_PORT"] = str(part.port)
    return env


def role_dsn(postgres: EmbeddedPostgres) -> Callable[[str], str]:
    """Connection strings of roles to the product's database."""
    return lambda role: postgres.dsn(role, DATABASE)


def _local(port: int) -> str:
    return f"http://127.0.0.1:{port}"
