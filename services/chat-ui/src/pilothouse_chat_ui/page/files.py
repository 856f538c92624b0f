"""The built page's files, read once, with what browsers and caches need to know about them."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

COMPRESSED = (".css", ".html", ".js", ".json", ".map", ".svg", ".txt", ".webmanifest")
# Names under assets/ carry a hash of their content, so what they stand for never changes.
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
MEDIA_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2"}


@dataclass(frozen=True)
class PageFile:
    """One file of the page."""

    content: bytes
    media_type: str
    cache_control: str
    compressible: bool

    @cached_property
    def etag(self) -> str:
        """Changes when the content does."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:20]}"'

    @cached_property
    def compressed(self) -> bytes | None:
        """The content as gzip, when that is worth it."""
        if not self.compressible or len(self.content) < 1024:
            return None
        return gzip.compress(self.content, compresslevel=9, mtime=0)


class PageFiles:
    """Knows the files of a folder. Files that appear later (a build while running) are found too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[tuple[str, int, int], PageFile] = {}

    def find(self, name: str) -> PageFile | None:
        """The file with this name relative to the folder, None when there is none."""
        try:
            path = (self._folder / name).resolve()
            if not path.is_relative_to(self._folder.resolve()) or not path.is_file():
                return None
        except (OSError, ValueError):
            return None  # A name that no file can have: too long, or with a NUL in it.
        stat = path.stat()
        key = (name, stat.st_mtime_ns, stat.st_size)
        if key not in self._known:
            self._known = {known: file for known, file in self._known.items() if known[0] != name}
            self._known[key] = _read(path, immutable=name.startswith("assets/"))
        return self._known[key]


def _read(path: Path, *, immutable: bool) -> PageFile:
    guessed = MEDIA_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return PageFile(
        content=path.read_bytes(),
        media_type=f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed,
        cache_control=IMMUTABLE if immutable else REVALIDATE,
        compressible=path.suffix in COMPRESSED,
    )
