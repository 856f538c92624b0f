"""Credentials as files in a folder, for docker compose.

The folder belongs to the account that the services run as. libpq takes a password file only when
nobody but its owner may read it.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from pilothouse_core.credentials import CredentialsError, random_text

ROLES = ("pilothouse", "pilothouse_ingest", "pilothouse_query", "pilothouse_chat")
KEY_CHARACTERS = 48
PASSWORD_CHARACTERS = 32
SHARED, PRIVATE = 0o440, 0o600

Say = Callable[[str], None]


def make_files(folder: Path, say: Say) -> None:
    """Writes what is missing. Raises `CredentialsError`; may be run by several at once."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _ensure(folder / "auth-key", random_text(KEY_CHARACTERS), say)
        model_key = _ensure(folder / "model-key", random_text(KEY_CHARACTERS), say)
        _ensure(folder / "model-api-keys", f"query:{model_key}", say)
        for role in ROLES:
            password = _ensure(folder / f"{role}.password", random_text(PASSWORD_CHARACTERS), say)
            escaped = password.replace("\\", "\\\\").replace(":", "\\:")
            _ensure(folder / f"{role}.pgpass", f"*:*:*:{role}:{escaped}", say, mode=PRIVATE)
    except OSError as exc:
        raise CredentialsError(
            f"{exc.filename or folder}: {exc.strerror}. The folder must be writable for uid {os.getuid()}, "
            "and the files in it readable."
        ) from exc


def _ensure(path: Path, content: str, say: Say, *, mode: int = SHARED) -> str:
    """What the file holds: the content, if it was not there. A file appears whole or not at all."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".new-", encoding="utf-8") as new:
        new.write(content + "\n")
        new.flush()
        os.fsync(new.fileno())
        os.fchmod(new.fileno(), mode)
        try:
            os.link(new.name, path)
        except FileExistsError:
            found = path.read_text(encoding="utf-8").strip()
            if not found:
                raise CredentialsError(f"{path} is empty. Delete it, then it is made anew.") from None
            say(f"kept {path.name}")
            return found
    say(f"made {path.name}")
    return content
