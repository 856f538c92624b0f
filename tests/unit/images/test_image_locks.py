"""What goes into the images."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SERVICES = ("ingest", "query", "chat-ui", "model-server")
PINNED = re.compile(r"^([a-z0-9-]+)==([^ ]+)", re.MULTILINE)
BASES = {"python:3.11-slim", "node:24-slim"}


def pinned(lock: str) -> set[tuple[str, str]]:
    return set(PINNED.findall((ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")))


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_the_versions_that_are_tested_and_no_torch(service: str) -> None:
    packages = pinned(f"images/{service}")
    assert packages <= pinned("runtime")
    names = {name for name, _ in packages}
    assert not names & {"torch", "transformers", "sentence-transformers", "scipy", "pip", "setuptools"}
    assert not [name for name in names if name.startswith("nvidia-")]


@pytest.mark.parametrize("service", SERVICES)
def test_a_dockerfile_takes_only_what_is_locked_and_ends_without_rights(service: str) -> None:
    text = (ROOT / "services" / service / "Dockerfile").read_text(encoding="utf-8")
    assert "# syntax=" not in text
    assert set(re.findall(r"^FROM (?:--platform=\S+ )?(\S+)", text, re.MULTILINE)) <= BASES
    joined = text.replace("\\\n", " ")
    for install in re.findall(r"pip [^&\n]*install[^&\n]*", joined):
        assert "--require-hashes" in install or "/wheels/" in install
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001:10001"]
    assert "PILOTHOUSE_AUTH_MODE=token" in text
    for label in ("title", "description", "source", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in text
