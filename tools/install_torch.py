"""Installs torch without the GPU libraries, which are gigabytes that local mode does not use.

torch is not in the lock files: the CPU build is another file on each platform, and on Linux it comes from
another place than the packages of the lock. PILOTHOUSE_TORCH=default takes whatever pip finds.
"""

import importlib.metadata
import os
import platform
import subprocess
import sys

VERSION = "2.13.0"


def installed() -> bool:
    """Whether this version is there already, of any build."""
    try:
        return importlib.metadata.version("torch").split("+")[0] == VERSION
    except importlib.metadata.PackageNotFoundError:
        return False


def attempts() -> list[list[str]]:
    """Commands to try in order; the first that succeeds is enough."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    plain = [*pip, f"torch=={VERSION}"]
    if os.environ.get("PILOTHOUSE_TORCH") == "default" or platform.system() != "Linux":
        return [plain]
    return [
        # Where pip is set up with a mirror or a folder of CPU builds.
        [*pip, f"torch=={VERSION}+cpu"],
        [
            *(
                sys.executable,
                "-m",
                "uv",
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--python",
                sys.executable,
            ),
            *("--torch-backend=cpu", f"torch=={VERSION}"),
        ],
    ]


def main() -> None:
    """Exit with what to do when no attempt succeeds."""
    if installed():
        return
    for command in attempts():
        if subprocess.run(command, check=False).returncode == 0:
            return
    sys.exit(
        f"torch {VERSION} could not be installed. Its CPU build comes from PyTorch's own package index; "
        "if this machine cannot reach that, give pip a mirror or folder that has it (PIP_FIND_LINKS), "
        "or run PILOTHOUSE_TORCH=default make up, which takes the ordinary, much larger build."
    )


if __name__ == "__main__":
    main()
