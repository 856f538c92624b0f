"""The limits that a parser process sets itself, where the system takes them."""

import resource
import sys

import pytest

from pilothouse_ingest.parsing.child import limit_process, peak_memory


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[int, tuple[int, int]]:
    """What was asked of the system, by kind; this process keeps its own."""
    asked: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(resource, "setrlimit", asked.__setitem__)
    return asked


def test_memory_is_limited(limits: dict[int, tuple[int, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (-1, resource.RLIM_INFINITY))
    limit_process(2**30)
    assert limits[resource.RLIMIT_AS] == (2**30, 2**30)


def test_a_limit_that_the_system_has_set_already_is_kept(
    limits: dict[int, tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2**28, 2**28))
    limit_process(2**30)
    assert limits[resource.RLIMIT_AS] == (2**28, 2**28)


def test_macos_is_not_asked_for_what_it_refuses(
    limits: dict[int, tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        limit_process(2**30)
    assert resource.RLIMIT_AS not in limits
    assert limits[resource.RLIMIT_FSIZE] == (0, 0)


@pytest.mark.parametrize(("platform", "unit"), [("linux", 1024), ("darwin", 1)])
def test_peak_memory_is_in_bytes(platform: str, unit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", platform)
        peak = peak_memory()
    assert before * unit <= peak <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
