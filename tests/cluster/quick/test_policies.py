"""NetworkPolicies from both sides. What must talk does talk: `helm test` passes with all of them in force."""

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EADDRNOTAVAIL
from socket import create_server, socket
from subprocess import run
from threading import Thread

import pytest

from cluster.conftest import NewNamespace
from cluster.quick.conftest import Trial
from support.cluster.release import PORTS, Release
from support.cluster.strangers import Stranger, image, start_stranger

# The first test may install the release, and the last one remove every namespace of the session.
pytestmark = pytest.mark.timeout(1500)

# Link-local like the address where clouds hand out a node's credentials, but one that nothing uses.
LINK_LOCAL = "169.254.213.7"
COMPONENTS = ("ingest", "query", "inference", "embeddings")


@pytest.fixture(scope="module", params=["the same namespace", "another namespace"])
def stranger(request: pytest.FixtureRequest, trial: Trial, new_namespace: NewNamespace) -> Stranger:
    same = request.param == "the same namespace"
    namespace = trial.release.namespace if same else new_namespace("strangers")
    return start_stranger(namespace, "stranger", image("query"))


def fenced(release: Release) -> dict[str, tuple[str, int]]:
    """Everything that only parts of the release may reach: each Service and each pod behind it."""
    targets: dict[str, tuple[str, int]] = {}
    for component in COMPONENTS:
        targets[f"service {component}"] = (release.object_name(component), PORTS[component])
        for pod in release.pods(component):
            targets[f"pod of {component}"] = (pod["status"]["podIP"], PORTS[component])
    for pod in release.namespace.list("pod", f"cnpg.io/cluster={release.object_name('database')}"):
        if pod["status"]["phase"] == "Running":
            targets["database"] = (pod["status"]["podIP"], 5432)
            targets["database's control"] = (pod["status"]["podIP"], 8000)
            targets["database's metrics"] = (pod["status"]["podIP"], 9187)
    for pod in release.pods("ingest-worker"):
        targets["worker"] = (pod["status"]["podIP"], 8084)
    # What is not listed would not be knocked at, and so would not be found open.
    assert targets.keys() == {
        *(f"{what} {component}" for what in ("service", "pod of") for component in COMPONENTS),
        *("database", "database's control", "database's metrics", "worker"),
    }
    return {
        name: (host if host[0].isdigit() else f"{host}.{release.namespace.name}.svc", port)
        for name, (host, port) in targets.items()
    }


def test_a_stranger_finds_every_address_and_reaches_none(trial: Trial, stranger: Stranger) -> None:
    release = trial.release
    name = f"{release.object_name('query')}.{release.namespace.name}.svc"
    # Otherwise what follows would only tell that nothing can be looked up.
    assert stranger.look_up(name)
    answers = stranger.knock(
        fenced(release) | {"page": (release.pods("chat-ui")[0]["status"]["podIP"], 8080)}
    )
    assert answers.pop("page") == "open"
    assert {name: answer for name, answer in answers.items() if answer == "open"} == {}


@pytest.fixture(scope="module")
def unbound(new_namespace: NewNamespace) -> Stranger:
    """A pod that no policy holds back: what it reaches is there."""
    return start_stranger(new_namespace("unbound"), "unbound", image("query"))


def test_ingest_reaches_no_link_local_address_and_nothing_else_outside(
    trial: Trial, unbound: Stranger
) -> None:
    node = trial.release.pods("ingest")[0]["status"]["hostIP"]
    with listening_on_link_local() as link_local, listening(node) as outside:
        targets = {"link-local": link_local, "outside": outside}
        assert unbound.knock(targets) == {"link-local": "open", "outside": "open"}
        for component in ("ingest", "ingest-worker"):
            inside = inside_of(trial.release, component)
            assert "open" not in inside.knock(targets).values(), component


def inside_of(release: Release, component: str) -> Stranger:
    return Stranger(release.namespace, release.ready_pods(component)[0], component)


@contextmanager
def listening_on_link_local() -> Iterator[tuple[str, int]]:
    """Only where this machine is the node: the address is given to it for as long as the test needs it."""
    where = [f"{LINK_LOCAL}/32", "dev", "lo"]
    remove = ["ip", "address", "del", *where]
    run(remove, capture_output=True, check=False)  # it is still there after a run that was killed
    added = run(["ip", "address", "add", *where], capture_output=True, text=True, check=False)
    if added.returncode:
        pytest.skip(f"this machine cannot be given a link-local address: {added.stderr.strip()}")
    try:
        with listening(LINK_LOCAL) as listener:
            yield listener
    finally:
        run(remove, capture_output=True, check=True)


@contextmanager
def listening(host: str) -> Iterator[tuple[str, int]]:
    """Accepts every connection at this address of this machine."""
    try:
        server = create_server((host, 0))
    except OSError as exc:
        if exc.errno != EADDRNOTAVAIL:
            raise
        pytest.skip("the cluster's nodes are other machines than this one")
    with server:
        Thread(target=_accept, args=[server], daemon=True).start()
        yield host, server.getsockname()[1]


def _accept(server: socket) -> None:
    while True:
        try:
            server.accept()[0].close()
        except OSError:
            return
