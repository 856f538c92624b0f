"""docker-compose.yml on a real engine. It builds images and takes minutes, so it runs when asked for."""

import os

import pytest

from support.compose import project, why_no_docker

ASKED = "PILOTHOUSE_TEST_COMPOSE"


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    if not os.environ.get(ASKED):
        pytest.skip("tests of docker-compose.yml run when asked for: make test-compose")
    if reason := why_no_docker():
        pytest.skip(f"{reason} on this machine")


@pytest.fixture(scope="session")
def images() -> None:
    """All four, from this checkout."""
    with project("pilothouse-test-build") as build:
        build.compose("build", seconds=1500)
