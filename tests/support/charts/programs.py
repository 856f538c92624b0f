"""What a container runs, against the program itself: the image has it, and it takes its settings."""

import os
import re
import shlex
from collections.abc import Iterator
from typing import Any
from unittest import mock

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings

import pilothouse_chat_ui.selftest.settings
import pilothouse_chat_ui.settings
import pilothouse_ingest.bulk.settings
import pilothouse_ingest.settings
import pilothouse_model_server.download.__main__
import pilothouse_model_server.settings
import pilothouse_query.settings
from support.charts.helm import ROOT, Object
from support.charts.pods import Pod, own_pods
from support.charts.references import EXPANSION

# What a program reads; nothing, for the one that has its whole task in a file.
SETTINGS: dict[tuple[str, ...], type[BaseSettings] | None] = {
    ("pilothouse_chat_ui",): pilothouse_chat_ui.settings.Settings,
    ("pilothouse_chat_ui.selftest",): pilothouse_chat_ui.selftest.settings.Settings,
    ("pilothouse_core.credentials", "kubernetes"): None,
    ("pilothouse_ingest", "api"): pilothouse_ingest.settings.IngestSettings,
    ("pilothouse_ingest", "worker"): pilothouse_ingest.settings.WorkerProcessSettings,
    ("pilothouse_ingest", "bulk"): pilothouse_ingest.bulk.settings.BulkProcessSettings,
    ("pilothouse_model_server",): pilothouse_model_server.settings.Settings,
    ("pilothouse_model_server", "chat"): pilothouse_model_server.settings.Settings,
    ("pilothouse_model_server", "embeddings"): pilothouse_model_server.settings.EmbeddingsSettings,
    ("pilothouse_model_server.download",): pilothouse_model_server.download.__main__.DownloadSettings,
    ("pilothouse_query",): pilothouse_query.settings.Settings,
}
# Of the others every word is known.
TAKE_ARGUMENTS = {
    ("pilothouse_core.credentials", "kubernetes"),
    ("pilothouse_ingest", "bulk"),
    ("pilothouse_model_server.download",),
}
IMAGE = re.compile(r"(?:^|/)pilothouse/(ingest|query|chat-ui|model-server)(?:-ray)?[:@]")
# It hands the job over and runs none of our programs.
RAY_SUBMITTER = "submitter"
# What a Secret may hold.
SECRET = "0123456789abcdef0123456789abcdef"
API_KEYS = f"caller:{SECRET}"


def problems(objects: list[Object]) -> Iterator[str]:
    for pod in own_pods(objects):
        for container in pod.containers:
            service = IMAGE.search(container.get("image", ""))
            if service and container["name"] != RAY_SUBMITTER:
                for problem in _container(container, _words(pod, container), service[1]):
                    yield f"{pod}: {container['name']}: {problem}"


def _words(pod: Pod, container: Object) -> list[str]:
    """What it runs; where KubeRay starts Ray, that is what Ray then runs."""
    words = [*container.get("command", []), *container.get("args", [])]
    return words or shlex.split(pod.owner["spec"].get("entrypoint", ""))


def _container(container: Object, words: list[str], service: str) -> Iterator[str]:
    if words[:1] == ["pilothouse-migrate"] or words[:2] == ["sh", "-c"]:
        return
    if words[:2] != ["python", "-m"]:
        yield f"it runs {words[:3]}, which is none of Pilothouse's programs"
        return
    package, _, module = words[2].partition(".")
    sources = {
        "pilothouse_core": ROOT / "libs" / "core" / "src",
        f"pilothouse_{service.replace('-', '_')}": ROOT / "services" / service / "src",
    }
    if package not in sources:
        yield f"its image {service} has no {package}"
    elif not any(
        (sources[package] / package / file).exists() for file in (f"{module}.py", f"./{module}/__main__.py")
    ):
        yield f"{words[2]} is no program"
    program = next((program for program in SETTINGS if _runs(program, tuple(words[2:]))), None)
    if program is None:
        yield f"which settings {' '.join(words[2:])} reads is not known here"
    elif settings := SETTINGS[program]:
        yield from _settings(container, settings, service)


def _runs(program: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return words == program or (program in TAKE_ARGUMENTS and words[: len(program)] == program)


def _settings(container: Object, settings: type[BaseSettings], service: str) -> Iterator[str]:
    everything: dict[str, str] = {}
    for variable in container.get("env", []):
        everything[variable["name"]] = _value(variable, everything)
    given = {name: value for name, value in everything.items() if name.startswith("PILOTHOUSE_")}
    plain = {name.removesuffix("_FILE"): SECRET if name.endswith("_FILE") else v for name, v in given.items()}
    known = set(variables(settings))
    yield from (f"it knows no setting {name}" for name in plain if name not in known)
    with mock.patch.dict(os.environ, image_settings(service) | plain, clear=True):
        try:
            settings()
        except ValidationError as error:
            yield from (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())


def _value(variable: Object, earlier: dict[str, str]) -> str:
    if "value" in variable:
        return EXPANSION.sub(lambda found: earlier.get(found[1], found[0]), variable["value"])
    return API_KEYS if variable["name"] == "PILOTHOUSE_AUTH_API_KEYS" else SECRET


def variables(settings: type[BaseSettings]) -> Iterator[str]:
    """The environment variables of a settings class."""
    for group, field in settings.model_fields.items():
        default: Any = field.get_default(call_default_factory=True)
        names = (
            (f"{group}_{name}" for name in type(default).model_fields)
            if isinstance(default, BaseModel)
            else [group]
        )
        yield from (f"PILOTHOUSE_{name}".upper() for name in names)


def image_settings(service: str) -> dict[str, str]:
    """What the image sets by itself."""
    text = (ROOT / "services" / service / "Dockerfile").read_text(encoding="utf-8")
    return dict(re.findall(r"\b(PILOTHOUSE_[A-Z_]+)=(\S+)", text.rpartition("\nFROM ")[2]))
