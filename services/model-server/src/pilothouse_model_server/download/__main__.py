"""`python -m pilothouse_model_server.download OWNER/NAME`: puts a hub's model into a folder, once.

The folder is the model's own, and whole when `.complete` is in there: files are fetched into a hidden folder
beside it, which is renamed at the end. Where it is whole already nothing is done, and no network is needed. A
run that was cut off goes on with the files that are missing.
"""

import argparse
import sys
from pathlib import Path
from typing import ClassVar

from pilothouse_core.settings import ServiceSettings, read_settings
from pilothouse_core.telemetry import configure_logging
from pilothouse_model_server.download.errors import DownloadError
from pilothouse_model_server.download.service import Wanted, download


class DownloadSettings(ServiceSettings):
    """Only the log's are read; nobody calls this program, so it needs no key."""

    auth_secrets: ClassVar[frozenset[str]] = frozenset()


def main() -> None:
    """Exits with 0 when the model is there, otherwise with a plain sentence."""
    parser = argparse.ArgumentParser(prog="pilothouse-download", description=__doc__)
    parser.add_argument("repository", help="the model's name on the hub, OWNER/NAME")
    parser.add_argument("--revision", default="main", help="branch, tag or commit (main)")
    parser.add_argument("--folder", type=Path, required=True, help="where it shall lie, alone")
    parser.add_argument("--include", action="append", default=[], metavar="GLOB", help="only such files")
    parser.add_argument("--exclude", action="append", default=[], metavar="GLOB", help="no such files")
    given = parser.parse_args()
    configure_logging(read_settings(DownloadSettings).log, service="download")
    try:
        download(Wanted(given.repository, given.revision, given.include, given.exclude), given.folder)
    except DownloadError as exc:
        sys.exit(f"The model was not downloaded. {exc}")


if __name__ == "__main__":
    main()
