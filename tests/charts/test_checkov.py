"""checkov over every scenario; what is not followed stands in checkov.yaml with its reason."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.charts.helm import HELMS, ROOT
from support.charts.scenario import Renderings, scenarios

PROGRAM = ROOT / ".build" / "checkov" / "bin" / "checkov"
EXCEPTIONS: dict[str, dict[str, str]] = yaml.safe_load(
    (Path(__file__).parent / "checkov.yaml").read_text(encoding="utf-8")
)


def excepted(number: str, what: str) -> bool:
    return number in EXCEPTIONS and re.search(EXCEPTIONS[number].get("only", ""), what) is not None


def failed(folder: Path) -> set[tuple[str, str]]:
    """Number of the check and what it failed for, of all manifests in `folder`."""
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is not there. Run `make .build/checkov/made`.")
    command = [str(PROGRAM), "--directory", str(folder), "--framework", "kubernetes"]
    command += ["--skip-download", "--compact", "--quiet", "--soft-fail", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    report: Any = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0, done.stderr
    assert report["summary"]["resource_count"] > 0, "checkov has read nothing"
    return {
        (check["check_id"], f"{Path(check['file_path']).stem}: {check['resource']}: {check['check_name']}")
        for check in report["results"]["failed_checks"]
    }


@pytest.fixture(scope="module")
def found(renderings: Renderings, tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    folder = tmp_path_factory.mktemp("checkov")
    for scenario in scenarios():
        rendering = renderings.get(scenario, HELMS[0])
        text = "\n---\n".join(json.dumps(o) for o in rendering.own)
        (folder / f"{scenario.name}.yaml").write_text(text, encoding="utf-8")
    return failed(folder)


def test_nothing_fails_without_a_reason(found: set[tuple[str, str]]) -> None:
    assert sorted(f"{number} {what}" for number, what in found if not excepted(number, what)) == []


def test_every_exception_is_still_needed(found: set[tuple[str, str]]) -> None:
    assert set(EXCEPTIONS) - {number for number, what in found if excepted(number, what)} == set()
    assert all(exception["reason"] for exception in EXCEPTIONS.values())


def test_a_careless_pod_is_found(tmp_path: Path) -> None:
    container = {"name": "a", "image": "a:1", "securityContext": {"privileged": True}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [container]}}
    (tmp_path / "pod.yaml").write_text(json.dumps(pod), encoding="utf-8")
    assert {"CKV_K8S_16", "CKV_K8S_13"} <= {number for number, _ in failed(tmp_path)}
