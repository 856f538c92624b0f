"""Tests against the cluster of the current KUBECONFIG. They install, break and remove things there.

So they run only when asked for by name: `make test-cluster`, `make drill`.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import pytest

from support.cluster.figures import FOLDER, Figures
from support.cluster.kubectl import Namespace, fresh_namespace, why_no_cluster

ASKED = "PILOTHOUSE_TEST_CLUSTER"
KEEP = "PILOTHOUSE_TEST_CLUSTER_KEEP"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}

NewNamespace = Callable[..., Namespace]


@pytest.fixture(scope="session", autouse=True)
def cluster() -> None:
    """Nothing happens to a cluster that somebody only happens to be connected to."""
    if not os.environ.get(ASKED):
        pytest.skip("tests on a cluster run when asked for: make test-cluster, make drill")
    if reason := why_no_cluster():
        pytest.fail(f"{reason}. Name a cluster for tests with KUBECONFIG.")


@pytest.fixture(scope="session")
def figures() -> Figures:
    return Figures()


@pytest.fixture(scope="module")
def new_namespace() -> Iterator[NewNamespace]:
    """Makes namespaces that enforce Pod Security `restricted` and go with the module's last test."""
    with ExitStack() as stack:

        def make(name: str, **labels: str) -> Namespace:
            opened: AbstractContextManager[Namespace] = fresh_namespace(
                f"ph-{name}", labels=RESTRICTED | labels, keep=KEEP in os.environ
            )
            return stack.enter_context(opened)

        yield make


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was measured, for whoever ran them."""
    report = FOLDER / "report.md"
    if os.environ.get(ASKED) and report.exists():
        terminalreporter.write_line(report.read_text(encoding="utf-8"))
