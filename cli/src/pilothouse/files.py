"""Which files of the given paths are documents."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# The endings that the ingest service reads. In a folder others are passed over without asking the service.
SUPPORTED = frozenset({".txt", ".md", ".markdown", ".rst", ".html", ".htm", ".pdf", ".docx"})


@dataclass(frozen=True, slots=True)
class Selection:
    """What will be uploaded, and how many files of which ending will not."""

    files: tuple[Path, ...]
    skipped: Counter[str]


def select(paths: Iterable[Path]) -> Selection:
    """The documents under the paths, sorted, each once.

    A file that is named itself is always taken: the service has the last word on it. Folders are walked
    without hidden entries and without following links to folders. Raises FileNotFoundError.
    """
    files: dict[Path, None] = {}
    skipped: Counter[str] = Counter()
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(path)
        if not path.is_dir():
            files[path.absolute()] = None
            continue
        for folder, names, entries in os.walk(path.absolute()):
            names[:] = sorted(name for name in names if not name.startswith("."))
            for entry in sorted(entries):
                file = Path(folder, entry)
                if entry.startswith(".") or not file.is_file():
                    continue
                if file.suffix.lower() in SUPPORTED:
                    files[file] = None
                else:
                    skipped[file.suffix.lower() or "no ending"] += 1
    return Selection(files=tuple(files), skipped=skipped)


def skipped_words(skipped: Counter[str]) -> str:
    """`3 files skipped: .png 2, no ending 1`."""
    total = sum(skipped.values())
    endings = ", ".join(f"{suffix} {count}" for suffix, count in skipped.most_common(6))
    return f"{total} {'file' if total == 1 else 'files'} skipped, not a supported format: {endings}"
