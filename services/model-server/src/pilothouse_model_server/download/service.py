"""Puts a model of a hub into a folder, once."""

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from pilothouse_model_server.download.errors import DownloadError

log = structlog.get_logger()

MARKER = ".complete"
SECONDS_BETWEEN_REPORTS = 5
# The same weights in other forms than the safetensors beside them.
OTHER_FORMS = (
    "*.bin",
    "*.pt",
    "*.pth",
    "*.h5",
    "*.msgpack",
    "*.ot",
    "*.gguf",
    "original/*",
    "onnx/*",
    "openvino/*",
)


# No name leads out of the folder.
REPOSITORY = re.compile(r"(?:\w[\w.-]*/)?\w[\w.-]*", re.ASCII)
REVISION = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which files of which model."""

    repository: str
    revision: str
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    @property
    def files(self) -> dict[str, list[str]]:
        """The choice of files, as the marker remembers it."""
        return {"include": sorted(self.include), "exclude": sorted(self.exclude)}


def download(wanted: Wanted, target: Path) -> None:
    """Fetches it into the folder, if it is not there. Raises DownloadError."""
    if not REPOSITORY.fullmatch(wanted.repository) or not REVISION.fullmatch(wanted.revision):
        raise DownloadError(
            f"{wanted.repository} at {wanted.revision} is no name of a model. "
            "Write OWNER/NAME --revision BRANCH."
        )
    if _is_there(wanted, target):
        return
    with _disk_errors(target), _alone(target.parent):
        if _is_there(wanted, target):
            return
        if target.exists():
            raise DownloadError(
                f"{target} is there, but this program did not complete it. Create the empty file "
                f"{target / MARKER} to use it as it is, or delete the folder to fetch it anew."
            )
        _fetch(wanted, target)


def _is_there(wanted: Wanted, target: Path) -> bool:
    try:
        about = json.loads((target / MARKER).read_text(encoding="utf-8") or "{}")
    except (FileNotFoundError, NotADirectoryError):
        return False
    if about.get("files", wanted.files) != wanted.files:
        raise DownloadError(
            f"{target} was completed with {about['files']}, and now {wanted.files} is asked for. "
            "Delete the folder to fetch it anew."
        )
    log.info("model_is_there", path=str(target))
    return True


def _fetch(wanted: Wanted, target: Path) -> None:
    # Read when the library is imported. The images are offline by default, and this program is the exception.
    os.environ["HF_HUB_OFFLINE"] = "0"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    # The plain protocol heeds proxies, certificates and mirrors, and keeps no second copy.
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    from pilothouse_model_server.download.hub import Hub

    hub = Hub(wanted.repository, wanted.revision)
    listed = hub.listing()
    exclude = list(wanted.exclude)
    if not wanted.include and any(name.endswith(".safetensors") for name in listed.sizes):
        exclude += OTHER_FORMS
    sizes = listed.chosen(wanted.include, exclude)
    if not sizes:
        raise DownloadError(
            f"No file of {wanted.repository} is chosen by --include and --exclude. It has: "
            f"{', '.join(sorted(listed.sizes)[:20])}."
        )
    partial = target.with_name(f".{target.name}.{listed.commit[:12]}.partial")
    _forget_cut_off(partial)
    _check_space(partial, sum(sizes.values()))
    with _reports(partial, sum(sizes.values())):
        for name, size in sorted(sizes.items()):
            path = hub.file(name, listed.commit, partial)
            if path.stat().st_size != size:
                path.unlink()
                raise DownloadError(f"{name} arrived with a wrong size. Run this again.")
    shutil.rmtree(partial / ".cache", ignore_errors=True)
    about = {
        "repository": wanted.repository,
        "revision": wanted.revision,
        "commit": listed.commit,
        "files": wanted.files,
    }
    (partial / MARKER).write_text(json.dumps(about) + "\n", encoding="utf-8")
    partial.rename(target)
    for other in target.parent.glob(f".{target.name}.*.partial"):
        shutil.rmtree(other, ignore_errors=True)
    log.info("model_downloaded", path=str(target), commit=listed.commit, bytes=sum(sizes.values()))


def _forget_cut_off(partial: Path) -> None:
    """The library begins a file that was cut off anew, under another name."""
    for path in partial.glob(".cache/**/*.incomplete"):
        path.unlink()


def _check_space(partial: Path, wanted: int) -> None:
    partial.mkdir(parents=True, exist_ok=True)
    missing, free = wanted - _size(partial), shutil.disk_usage(partial).free
    if missing > free:
        raise DownloadError(
            f"{missing >> 20} MiB are missing and {free >> 20} MiB are free in {partial.parent}. "
            "Make the volume larger, or choose fewer files with --include."
        )


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # renamed in this moment
            total += path.stat().st_size if path.is_file() else 0
    return total


@contextlib.contextmanager
def _reports(partial: Path, total: int) -> Iterator[None]:
    """A line in the log every few seconds, and one when all is there."""
    done = threading.Event()
    began, before = time.monotonic(), _size(partial)

    def report() -> None:
        size = min(_size(partial), total)
        seconds = max(time.monotonic() - began, 0.001)
        log.info(
            "downloading",
            mib=size >> 20,
            of_mib=total >> 20,
            percent=100 * size // max(total, 1),
            mib_per_second=round((size - before) / seconds / 2**20, 1),
        )

    def watch() -> None:
        report()
        while not done.wait(SECONDS_BETWEEN_REPORTS):
            report()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    report()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two jobs for one model: the second waits, and finds the model there."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("waiting_for_another_download", folder=str(folder))
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as exc:
            # Some network file systems have no locks. The rename at the end keeps the result whole anyway.
            log.info("no_locks_here", folder=str(folder), reason=exc.strerror)
        yield


@contextlib.contextmanager
def _disk_errors(target: Path) -> Iterator[None]:
    """In words, for what a volume can have against being written to."""
    try:
        yield
    except OSError as exc:
        if exc.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DownloadError(f"No space is left in {target.parent}. Make the volume larger.") from exc
        if exc.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise DownloadError(
                f"{exc.filename or target.parent} cannot be written: {exc.strerror}. The volume must be "
                f"writable for user {os.getuid()} or one of the groups {os.getgroups()}."
            ) from exc
        raise DownloadError(f"{target.parent}: {exc}. Run this again.") from exc
