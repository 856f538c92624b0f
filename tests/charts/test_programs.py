"""The check of programs and settings can fail."""

from collections.abc import Callable
from typing import Any

import pytest

from support.charts import programs

SETTINGS = {"PILOTHOUSE_MODEL_URL": "http://tgi:8083", "PILOTHOUSE_EMBEDDING_URL": "http://tei:8085"}
KEY = {"name": "PILOTHOUSE_AUTH_KEY", "valueFrom": {"secretKeyRef": {"name": "auth", "key": "key"}}}


def container(args: list[str], image: str, settings: dict[str, str]) -> dict[str, Any]:
    env = [KEY, *({"name": name, "value": value} for name, value in settings.items())]
    return {"name": "main", "image": image, "args": args, "env": env}


def found(args: list[str], image: str = "ghcr.io/pilothouse/query:0.1.0", **settings: str) -> list[str]:
    main = container(args, image, SETTINGS | settings)
    pod = {"kind": "Pod", "metadata": {"name": "pod"}, "spec": {"containers": [main]}}
    return list(programs.problems([pod]))


def test_a_program_with_its_settings_passes() -> None:
    assert found(["python", "-m", "pilothouse_query"]) == []


@pytest.mark.parametrize(
    ("args", "settings", "says"),
    [
        (["python", "-m", "pilothouse_ingest", "api"], {}, "its image query has no pilothouse_ingest"),
        (["python", "-m", "pilothouse_query.migrations"], {}, "pilothouse_query.migrations is no program"),
        (["node", "index.js"], {}, "none of Pilothouse's programs"),
        (
            ["python", "-m", "pilothouse_query"],
            {"PILOTHOUSE_MODEL_ADDRESS": "x"},
            "it knows no setting",
        ),
        (
            ["python", "-m", "pilothouse_query"],
            {"PILOTHOUSE_CHAT_STYLE": "sing"},
            "chat.style: Input",
        ),
        (["python", "-m", "pilothouse_query"], {"PILOTHOUSE_AUTH_MODE": "none"}, "for the chat page alone"),
    ],
)
def test_a_fault_is_found(args: list[str], settings: dict[str, str], says: str) -> None:
    problems = found(args, **settings)
    assert any(says in problem for problem in problems), problems


INGEST = {"PILOTHOUSE_EMBEDDING_URL": "http://tei:8085", "PILOTHOUSE_BULK_PARTS": "4"}
BULK = ["python", "-m", "pilothouse_ingest", "bulk", "/data", "--collection", "archive"]


def bulk(**settings: str) -> list[str]:
    pod_spec = {"containers": [container(BULK, "ghcr.io/pilothouse/ingest:0.1.0", INGEST | settings)]}
    pod = {"kind": "Pod", "metadata": {"name": "pod"}, "spec": pod_spec}
    return list(programs.problems([pod]))


def on_ray(**settings: str) -> list[str]:
    main = container([], "ghcr.io/pilothouse/ingest-ray:0.1.0", INGEST | settings)
    template = {"metadata": {}, "spec": {"containers": [main]}}
    spec = {"entrypoint": " ".join(BULK), "rayClusterSpec": {"headGroupSpec": {"template": template}}}
    return list(programs.problems([{"kind": "RayJob", "metadata": {"name": "job"}, "spec": spec}]))


@pytest.mark.parametrize("check", [bulk, on_ray])
def test_a_program_with_arguments_takes_its_settings_too(check: Callable[..., list[str]]) -> None:
    assert check() == []
    assert any("BULK_SUBJEKT" in problem for problem in check(PILOTHOUSE_BULK_SUBJEKT="archive"))
    assert any("bulk.parts" in problem for problem in check(PILOTHOUSE_BULK_PARTS="0"))


def test_a_command_whose_settings_nobody_knows_is_found() -> None:
    assert found(["python", "-m", "pilothouse_query", "--debug"]) == [
        "Pod/pod: main: which settings pilothouse_query --debug reads is not known here"
    ]


def test_other_peoples_images_are_their_own_affair() -> None:
    assert found(["--model-id", "x"], image="ghcr.io/huggingface/text-generation-inference:3.3.7") == []
