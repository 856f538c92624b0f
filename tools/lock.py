"""Compiles the lock files from the members' dependencies, and says when they are out of date.

A lock begins with a digest of what it was compiled from, so that the check needs no network.
"""

import argparse
import hashlib
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "requirements"
MEMBERS = (
    "libs/core",
    "services/ingest",
    "services/query",
    "services/chat-ui",
    "services/model-server",
    "cli",
)
IMAGES = tuple(f"images/{name}" for name in ("ingest", "ingest-ray", "query", "chat-ui", "model-server"))
# In this order: dev and the images are held to the versions of runtime.
LOCKS = ("runtime", "models", "dev", "helm", "checkov", "images/build", "images/export", *IMAGES)
# These hold nothing that a member imports.
WITHOUT_MEMBERS = ("models", "helm", "checkov", "images/build", "images/export")
# Their packages are named one by one, because only the files of some are wanted.
WITHOUT_DEPENDENCIES = ("models", "helm", "images/export")
DIGEST = "# compiled from: "


def digest(lock: str) -> str:
    """Of everything that decides what the lock should hold."""
    parts = [(REQUIREMENTS / f"{lock}.in").read_bytes(), (REQUIREMENTS / "overrides.txt").read_bytes()]
    if lock not in WITHOUT_MEMBERS:
        for member in _members(lock):
            project = tomllib.loads((ROOT / member / "pyproject.toml").read_text(encoding="utf-8"))["project"]
            wanted = (
                project["requires-python"],
                project["dependencies"],
                project.get("optional-dependencies"),
            )
            parts.append(repr(wanted).encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]


def _members(lock: str) -> tuple[str, ...]:
    """The members whose dependencies go into the lock."""
    if lock not in IMAGES:
        return MEMBERS
    return "libs/core", f"services/{lock.removeprefix('images/').removesuffix('-ray')}"


def compile_lock(lock: str, *, upgrade: bool) -> None:
    """Writes requirements/<lock>.txt; versions in it stay where they still fit, unless `upgrade`."""
    names = [
        tomllib.loads((ROOT / m / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
        for m in MEMBERS
    ]
    target = REQUIREMENTS / f"{lock}.txt"
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--generate-hashes", "--no-header"]
    command += [
        "--python-version",
        "3.11",
        "--universal",
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--no-sources",
    ]
    command += [
        "--no-annotate",
        "--overrides",
        "requirements/overrides.txt",
        "--output-file",
        str(target.relative_to(ROOT)),
    ]
    command += [argument for name in names for argument in ("--no-emit-package", name)]
    command += ["--no-deps"] if lock in WITHOUT_DEPENDENCIES else []
    command += ["--upgrade"] if upgrade else []
    subprocess.run([*command, f"requirements/{lock}.in"], cwd=ROOT, check=True)
    target.write_text(f"{DIGEST}{digest(lock)}\n{target.read_text(encoding='utf-8')}", encoding="utf-8")


def stale() -> list[str]:
    """Locks that were compiled from something else than what is there now."""
    out_of_date = []
    for lock in LOCKS:
        target = REQUIREMENTS / f"{lock}.txt"
        first = target.read_text(encoding="utf-8").split("\n", 1)[0] if target.exists() else ""
        if first != f"{DIGEST}{digest(lock)}":
            out_of_date.append(f"requirements/{lock}.txt")
    return out_of_date


def main() -> None:
    """`--check` only says what is out of date, with exit code 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    parser.add_argument("lock", nargs="*", help="only these, instead of all")
    arguments = parser.parse_args()
    if arguments.check:
        if out_of_date := stale():
            sys.exit(f"Out of date: {', '.join(out_of_date)}. Run `make lock` and commit the result.")
        return
    for lock in arguments.lock or LOCKS:
        compile_lock(lock, upgrade=arguments.upgrade)


if __name__ == "__main__":
    main()
