"""The check of programs and settings can fail."""

from typing import Any

import pytest

from support.charts import programs

SETTINGS = {"PILOTHOUSE_MODEL_URL": "http://tgi:8083", "PILOTHOUSE_EMBEDDING_URL": "http://tei:8085"}
KEY = {"name": "PILOTHOUSE_AUTH_KEY", "valueFrom": {"secretKeyRef": {"name": "auth", "key": "key"}}}


def found(args: list[str], image: str = "ghcr.io/pilothouse/query:0.1.0", **settings: str) -> list[str]:
    env = [KEY, *({"name": name, "value": value} for name, value in (SETTINGS | settings).items())]
    container: dict[str, Any] = {"name": "main", "image": image, "args": args, "env": env}
    pod = {"kind": "Pod", "metadata": {"name": "pod"}, "spec": {"containers": [container]}}
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


def test_other_peoples_images_are_their_own_affair() -> None:
    assert found(["--model-id", "x"], image="ghcr.io/huggingface/text-generation-inference:3.3.7") == []
