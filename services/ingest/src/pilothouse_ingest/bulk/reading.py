"""Files of a folder as uploads: each is copied first, so that what is stored is what was hashed."""

import hashlib
import os
import stat
from contextlib import ExitStack
from io import BytesIO
from pathlib import PurePath
from tempfile import TemporaryFile
from typing import BinaryIO

from pilothouse_core.problem import Problem
from pilothouse_ingest.documents.blobs import SLICE
from pilothouse_ingest.documents.media_types import SNIFFED, detect
from pilothouse_ingest.documents.models import Incoming
from pilothouse_ingest.documents.upload import Upload

_IN_MEMORY = 8 * 2**20  # bytes; the copy of a larger file is on the disk
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# To open a pipe that has taken a file's place would wait for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def read(root: str, path: str, *, name: str, max_bytes: int) -> Upload:
    """The file `path` below `root`, to be stored as `name`; the caller closes it.

    Raises `Problem`, and `OSError` when the system does not hand it out.
    """
    with _open_below(root, path) as source:
        size = os.fstat(source.fileno()).st_size
        if size > max_bytes:
            raise _too_large(max_bytes)
        kept: BinaryIO = BytesIO() if size <= _IN_MEMORY else TemporaryFile()  # noqa: SIM115  the caller's
        try:
            sha256, size, head = _copy(source, kept, max_bytes)
            if size == 0:
                raise Problem(status=422, code="empty_file", title="It is empty", detail="It holds no bytes.")
            kept.seek(max(0, size - SNIFFED))
            filename = _filename(name)
            media_type = detect(filename=filename, declared=None, head=head, tail=kept.read(SNIFFED))
        except BaseException:
            kept.close()
            raise
    return Upload(Incoming(filename, media_type, size, sha256, name, {}), kept)


def digest(root: str, path: str, *, max_bytes: int) -> str | None:
    """The hash of the file as it is now; None when it cannot be read."""
    try:
        with _open_below(root, path) as source, open(os.devnull, "wb") as nowhere:
            return _copy(source, nowhere, max_bytes)[0]
    except (OSError, Problem):
        return None


def _open_below(root: str, path: str) -> BinaryIO:
    """Opens a file and follows no link on the way: the folder may be changed while it is read."""
    *folders, last = path.split("/")
    with ExitStack() as stack:
        at = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, at)
        for folder in folders:
            at = os.open(folder, _FOLDER, dir_fd=at)
            stack.callback(os.close, at)
        file = os.fdopen(os.open(last, _FILE, dir_fd=at), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(0, "it is no file any more")
    return file


def _copy(source: BinaryIO, target: BinaryIO, max_bytes: int) -> tuple[str, int, bytes]:
    """Hash, size and beginning of what was copied."""
    hashed, size, head = hashlib.sha256(), 0, b""
    while piece := source.read(SLICE):
        size += len(piece)
        if size > max_bytes:  # it has grown
            raise _too_large(max_bytes)
        head = head or piece[:SNIFFED]
        hashed.update(piece)
        target.write(piece)
    return hashed.hexdigest(), size, head


def _filename(name: str) -> str:
    """The last part of the path, as long as the API keeps one."""
    last = PurePath(name).name
    stem, dot, extension = last.rpartition(".")
    return f"{stem[:200]}{dot}{extension[:20]}" if dot else last[:200]


def _too_large(max_bytes: int) -> Problem:
    return Problem(
        status=413,
        code="too_large",
        title="The file is too large",
        detail=f"The largest file accepted has {max_bytes / 2**20:.0f} MiB. Split it, or raise "
        "PILOTHOUSE_UPLOAD_MAX_BYTES.",
    )
