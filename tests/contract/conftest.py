"""A running product whose endpoints are held against their own OpenAPI documents."""

from collections.abc import Iterator

import pytest

from support.stack import Stack, running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The product with one small collection."""
    folder = tmp_path_factory.mktemp("contract")
    (folder / "port.md").write_text("# Ports\n\nThe chat page listens on port 8080.\n")
    with running_stack(folder / "home") as stack:
        stack.command("ingest", str(folder / "port.md"), "--collection", "handbook")
        yield stack
