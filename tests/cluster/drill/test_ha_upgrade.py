"""`helm upgrade` to changed values, to a next version with a migration, and `helm rollback`, under way."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from cluster.drill.conftest import tool
from support.charts.helm import CHARTS
from support.cluster.database import Database
from support.cluster.figures import Figures
from support.cluster.release import DEPLOYMENTS, Release
from support.cluster.traffic.promises import check
from support.cluster.traffic.traffic import Traffic, traffic

pytestmark = pytest.mark.timeout(2400)

NEXT = "0.1.1"
SERVICES = ("ingest", "query", "chat-ui", "model-server")
MIGRATION = "9000_drill.sql"
FOLDER = "/app/.venv/lib/python3.11/site-packages/pilothouse_core/migrations"
SQL = """-- kind: expand
CREATE TABLE public.drill_next (number integer);
ALTER TABLE documents.documents ADD COLUMN drill_next text;
"""


def rolled_out(release: Release) -> None:
    for component in DEPLOYMENTS:
        release.settled(component, seconds=900)


def nobody_noticed(people: Traffic, figures: Figures, name: str) -> None:
    promises = check(people)
    figures.fault(f"values-ha: {name}", people.ledger, promises)
    assert promises.broken == []
    assert people.ledger.failures == [], people.ledger.table()


def test_values_are_changed_and_nobody_notices(steady: Release, figures: Figures) -> None:
    changed = {name: {"settings": {"LOG_LEVEL": "DEBUG"}} for name in ("chat-ui", "query")}
    parts = {part: {"settings": {"LOG_LEVEL": "DEBUG"}} for part in ("api", "worker")}
    steady.values = changed | {"ingest": parts, "inference": annotated(), "embeddings": annotated()}
    with traffic(steady, "values") as people:
        steady.upgrade(seconds=900)
        rolled_out(steady)
    nobody_noticed(people, figures, "helm upgrade to changed values")


def annotated() -> dict[str, dict[str, str]]:
    return {"podAnnotations": {"drill": "changed"}}


def test_a_next_version_with_a_migration_and_back_again(
    steady: Release, figures: Figures, next_version: Path
) -> None:
    revision = int(yaml.safe_load(steady.command("status", steady.name, "--output", "yaml"))["version"])
    steady.chart = str(next_version)
    with traffic(steady, "next") as people:
        steady.upgrade(seconds=900)
        rolled_out(steady)
    steady.chart = str(CHARTS / "pilothouse")
    assert Database(steady).sql("SELECT count(*) FROM public.drill_next") == "0"
    nobody_noticed(people, figures, "helm upgrade to a next version with a migration")

    with traffic(steady, "back") as people:
        steady.rollback(revision, seconds=900)
        rolled_out(steady)
    assert {pod["spec"]["containers"][0]["image"] for pod in steady.pods("query")} == {
        "ghcr.io/pilothouse/query:0.1.0"
    }
    nobody_noticed(people, figures, "helm rollback")


@pytest.fixture(scope="module")
def next_version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The umbrella chart as the next release would have it, its images built and in the cluster."""
    if shutil.which("docker") is None:
        pytest.skip("there is no Docker engine here to build the next version's images")
    folder = tmp_path_factory.mktemp("next")
    charts = folder / "charts"
    shutil.copytree(CHARTS, charts, symlinks=True)
    for path in charts.glob("*/Chart.yaml"):
        path.write_text(path.read_text(encoding="utf-8").replace("0.1.0", NEXT), encoding="utf-8")
    (folder / MIGRATION).write_text(SQL, encoding="utf-8")
    images = []
    for service in SERVICES:
        recipe = f"FROM ghcr.io/pilothouse/{service}:0.1.0\nCOPY {MIGRATION} {FOLDER}/\n"
        images.append(f"ghcr.io/pilothouse/{service}:{NEXT}")
        (folder / "Dockerfile").write_text(recipe, encoding="utf-8")
        command = ["docker", "build", "--quiet", "--tag", images[-1], str(folder)]
        subprocess.run(command, check=True, capture_output=True)
    subprocess.run([tool("load"), *images], check=True, capture_output=True)
    return charts / "pilothouse"
