"""Fixtures that every level of tests may use. Markers follow the folder a test lies in."""

from pathlib import Path

import pytest

LEVELS = ("unit", "charts", "integration", "contract", "e2e", "compose", "cluster")
HERE = Path(__file__).parent


def _level(item: pytest.Item) -> str:
    return item.path.relative_to(HERE).parts[0]


# After the plugin that shuffles: random order within a level, small tests before large ones.
# The browser's driver keeps an event loop on the main thread, so its tests must come last.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test's level is its folder; nobody has to remember the marker."""
    for item in items:
        item.add_marker(_level(item))
    items.sort(key=lambda item: LEVELS.index(_level(item)))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real collections and documents that lie beside a checkout at the maintainers'; others skip."""
    folder = HERE.parent.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the large test data is not on this machine")
    return folder
