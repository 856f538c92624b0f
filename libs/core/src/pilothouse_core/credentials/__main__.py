"""`python -m pilothouse_core.credentials`: makes the passwords and keys that are absent."""

import argparse
import os
import sys
from pathlib import Path

from pilothouse_core.credentials import CredentialsError
from pilothouse_core.credentials.files import make_files
from pilothouse_core.credentials.kubernetes import Cluster, make_secrets
from pilothouse_core.credentials.wanted import read_wanted


def main() -> None:
    """Says what was made and what was kept, never a value."""
    parser = argparse.ArgumentParser(prog="python -m pilothouse_core.credentials", description=__doc__)
    ways = parser.add_subparsers(dest="way", required=True)
    files = ways.add_parser("files", help="as files in a folder")
    files.add_argument("folder", type=Path)
    kubernetes = ways.add_parser("kubernetes", help="as Secrets of the namespace that this pod runs in")
    kubernetes.add_argument("wanted", type=Path, help="JSON file that says which")
    kubernetes.add_argument(
        "--wait", type=float, default=120, metavar="SECONDS", help="how long the API server may be away"
    )
    arguments = parser.parse_args()
    try:
        if arguments.way == "files":
            make_files(arguments.folder, _say)
        else:
            wanted = read_wanted(arguments.wanted)
            make_secrets(Cluster.around(os.environ), wanted, _say, seconds=arguments.wait)
    except CredentialsError as exc:
        sys.exit(str(exc))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
