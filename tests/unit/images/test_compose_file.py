"""docker-compose.yml keeps its promises: nothing secret in it, nothing open, nothing without a limit."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
OURS = [name for name, service in SERVICES.items() if "ghcr.io/pilothouse/" in service["image"]]
GPU = [name for name in SERVICES if name.endswith("-gpu") and name not in OURS]


def started_with(*profiles: str) -> set[str]:
    """What compose starts; without a profile it looks for the empty name."""
    wanted = set(profiles or [""])
    return {
        name
        for name, service in SERVICES.items()
        if "profiles" not in service or wanted & set(service["profiles"])
    }


ALWAYS = {"credentials", "postgres", "migrate", "ingest", "worker", "chat-ui"}


@pytest.mark.parametrize(
    ("profiles", "models"),
    [
        ([], {"query", "model-server", "embeddings"}),
        (["cpu"], {"query", "model-server", "embeddings"}),
        (["gpu"], {"query-gpu", "model-gpu", "embeddings-gpu"}),
        (["external"], {"query-external"}),
        (["external", "embeddings"], {"query-external", "embeddings"}),
    ],
)
def test_a_profile_puts_its_models_in_the_place_of_the_others(profiles: list[str], models: set[str]) -> None:
    assert started_with(*profiles) == ALWAYS | models


def test_no_secret_is_in_the_file() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("(KEYS?|PASSWORD|TOKEN|SECRET)(_FILE)?$", variable):
                asked_for = value is None or re.fullmatch(r"\$\{\w+:?-(/credentials/[\w-]+)?\}", value)
                assert asked_for or re.fullmatch(r"/credentials/[\w.-]+", value), (name, variable)


def test_whoever_reads_the_files_of_strangers_has_no_key_of_the_callers() -> None:
    given = {variable for variable in SERVICES["worker"]["environment"] if "_AUTH_" in variable}
    assert given == set()
    assert "PILOTHOUSE_AUTH_KEY_FILE" in SERVICES["ingest"]["environment"]


def test_only_the_page_and_the_two_apis_are_published_and_only_to_this_machine() -> None:
    published = {name for name, service in SERVICES.items() if service.get("ports")}
    assert published == {"chat-ui", "ingest", "query", "query-gpu", "query-external"}
    assert all(
        port.startswith("127.0.0.1:") for service in SERVICES.values() for port in service.get("ports", [])
    )


@pytest.mark.parametrize("name", OURS)
def test_our_images_run_without_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(GPU)))
def test_each_service_has_limits(name: str) -> None:
    limits = SERVICES[name]["deploy"]["resources"]["limits"]
    assert {"memory", "pids"} <= limits.keys()


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"credentials", "migrate"}))
def test_whoever_serves_says_when_it_is_ready(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


def test_nobody_uses_the_database_before_its_schema_is_there() -> None:
    for name, service in SERVICES.items():
        if "PILOTHOUSE_DATABASE_URL" in service.get("environment", {}) and name != "migrate":
            assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_every_variable_is_in_the_example_and_no_other() -> None:
    used = set(re.findall(r"\$\{(\w+)", TEXT)) | {"COMPOSE_PROFILES"}
    for service in SERVICES.values():
        used |= {name for name, value in service.get("environment", {}).items() if value is None}
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^#(\w+)=", example, re.MULTILINE)) == used
    assert not re.findall(r"^[^#\n]", example, re.MULTILINE)
