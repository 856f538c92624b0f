"""What is in a folder that strangers filled: every file once, under a name that can be stored.

Hidden files are left out. A link is followed only to what lies in the folder and is not met otherwise:
Kubernetes mounts ConfigMaps as links into a hidden folder.
"""

import os
import re
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pilothouse_ingest.bulk.outcome import Failure

_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
# What the database can index as an external id.
_NAME_CHARACTERS = 1024
_NAME_BYTES = 2500


@dataclass(frozen=True, slots=True)
class Part:
    """One of several shares of a folder; a file is in the same one every time."""

    index: int = 0
    count: int = 1

    def holds(self, name: str) -> bool:
        """Whether the file is in this part."""
        return zlib.crc32(name.encode()) % self.count == self.index

    @classmethod
    def parse(cls, text: str) -> "Part":
        """`2/8`, counted from 1. Raises `ValueError`."""
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise ValueError(f"{text!r} is not a part such as 1/4")
        return cls(int(match[1]) - 1, int(match[2]))


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a folder: their names as they are stored, and where below `root` their bytes are."""

    root: str
    files: dict[str, str] = field(default_factory=dict)
    refused: list[Failure] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def names(self, part: Part) -> list[str]:
        """The part's files."""
        return [name for name in self.files if part.holds(name)]

    def refusals(self, part: Part) -> list[Failure]:
        """What of the part cannot even be tried."""
        return [failure for failure in self.refused if part.holds(failure.name)]


def list_folder(root: Path) -> Listing:
    """All files below a folder. Raises `OSError` when the folder itself cannot be read."""
    base = os.path.realpath(root, strict=True)
    found = Listing(base)
    seen = {_identity(base)}
    waiting = [(base, "")]
    while waiting:
        folder, prefix = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                ordered = sorted(entries, key=lambda entry: entry.name)
        except OSError as exc:
            if folder == base:
                raise
            found.refused.append(unreadable(storable(prefix), exc))
            continue
        for entry in ordered:
            name = prefix + entry.name
            try:
                path = _content(found, entry, name)
                if path is None:
                    continue
                if not os.path.isdir(path):
                    _add(found, name, path)
                elif (identity := _identity(path)) not in seen:  # links may lead in circles
                    seen.add(identity)
                    waiting.append((path, f"{name}/"))
            except OSError as exc:
                found.refused.append(unreadable(storable(name), exc))
    return found


def storable(name: str) -> str:
    """The name as text on one line: bytes that are not UTF-8 and control characters become `%E9`."""
    if _UNSTORABLE.search(name) is None:
        return name
    return _UNSTORABLE.sub(
        lambda match: "".join(f"%{byte:02X}" for byte in os.fsencode(match[0])), name.replace("%", "%25")
    )


def unreadable(name: str, exc: OSError) -> Failure:
    """What is said of a file or folder that the system does not hand out."""
    return Failure(
        name,
        code="unreadable_file",
        detail=f"It could not be read: {exc.strerror}. Check its permissions and the disk, then start again.",
    )


def _content(found: Listing, entry: "os.DirEntry[str]", name: str) -> str | None:
    """Where the entry's content lies; None when it is left out."""
    if entry.name.startswith("."):
        found.left_out["hidden"] += 1
        return None
    if not entry.is_symlink():
        if entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False):
            return entry.path
        found.left_out["not_a_file"] += 1
        return None
    target = os.path.realpath(entry.path, strict=True)
    inside = os.path.relpath(target, found.root).split("/")
    if inside[0] == "..":
        found.refused.append(_outside(storable(name)))
        return None
    if inside != ["."] and any(part.startswith(".") for part in inside):
        return target
    found.left_out["link"] += 1
    return None


def _add(found: Listing, name: str, path: str) -> None:
    stored = storable(name)
    if len(stored) > _NAME_CHARACTERS or len(stored.encode()) > _NAME_BYTES:
        found.refused.append(_too_long(stored))
    else:
        found.files[stored] = os.path.relpath(path, found.root)


def _identity(path: str) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _outside(name: str) -> Failure:
    return Failure(
        name,
        code="outside_folder",
        detail="It is a link that leads out of the folder. Put a copy of the file in its place.",
    )


def _too_long(name: str) -> Failure:
    return Failure(
        f"{name[:200]}…",
        code="name_too_long",
        detail=f"Its path in the folder is longer than {_NAME_CHARACTERS} characters. Give it a shorter one.",
    )
