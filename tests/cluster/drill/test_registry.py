"""Charts and images from one registry of one's own, and from nowhere else."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
import yaml

from cluster.conftest import NewNamespace
from support.charts.helm import CHARTS, program
from support.cluster.release import Release
from support.cluster.waiting import until

pytestmark = pytest.mark.timeout(1800)

ADDRESS = "127.0.0.1:5055"
IMAGES = (
    "pilothouse/ingest:0.1.0",
    "pilothouse/query:0.1.0",
    "pilothouse/chat-ui:0.1.0",
    "pilothouse/model-server:0.1.0",
    "cloudnative-pg/postgresql:18-standard-trixie",
)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's docker-registry on the loopback address, which nodes on this machine reach too."""
    if shutil.which("docker-registry") is None or shutil.which("docker") is None:
        pytest.skip("needs a Docker engine and a registry: apt-get install docker-registry")
    assert not answers(), f"a registry listens on {ADDRESS} already, perhaps of a run that was killed"
    folder = tmp_path_factory.mktemp("registry")
    config = folder / "config.yml"
    settings = {
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "store")}},
        "http": {"addr": ADDRESS},
    }
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    with running(["docker-registry", "serve", str(config)], folder / "log"):
        until(answers, "the registry answers", seconds=30, explain=(folder / "log").read_text)
        for image in IMAGES:
            # An image of its own: of one that it has pulled, a kubelet wants every name to be pulled again.
            recipe = f"FROM ghcr.io/{image}\nLABEL mirrored=yes\n"
            build = ["docker", "build", "--quiet", "--tag", f"{ADDRESS}/{image}", "-"]
            subprocess.run(build, input=recipe, text=True, check=True, capture_output=True)
            subprocess.run(
                ["docker", "push", "--quiet", f"{ADDRESS}/{image}"], check=True, capture_output=True
            )
        yield ADDRESS


def answers() -> bool:
    try:
        return httpx2.get(f"http://{ADDRESS}/v2/", trust_env=False).is_success
    except httpx2.TransportError:
        return False


@contextmanager
def running(command: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            yield
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def chart(registry: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The umbrella chart, packaged and pushed."""
    folder = tmp_path_factory.mktemp("package")
    for command in (
        ["package", str(CHARTS / "pilothouse"), "--destination", str(folder)],
        ["push", str(folder / "pilothouse-0.1.0.tgz"), f"oci://{registry}/charts", "--plain-http"],
    ):
        subprocess.run([program("helm4"), *command], check=True, capture_output=True)
    return f"oci://{registry}/charts/pilothouse"


def test_everything_comes_from_the_registry(registry: str, chart: str, new_namespace: NewNamespace) -> None:
    values = yaml.safe_load((CHARTS / "pilothouse" / "values-cpu.yaml").read_text(encoding="utf-8"))
    values["global"] = {"imageRegistry": registry}
    release = Release(new_namespace("registry"), chart=chart, files=(), values=values)
    release.install("--version", "0.1.0", "--plain-http")
    release.test()
    pods = release.namespace.list("pod")
    images = {
        container["image"]
        for pod in pods
        for container in (*pod["spec"].get("initContainers", []), *pod["spec"]["containers"])
    }
    # The operator's own image, by which it starts PostgreSQL, is not ours to choose.
    ours = {image for image in images if "cloudnative-pg/cloudnative-pg" not in image}
    assert {image for image in ours if not image.startswith(f"{registry}/")} == set()
    assert f"{registry}/pilothouse/query:0.1.0" in ours
