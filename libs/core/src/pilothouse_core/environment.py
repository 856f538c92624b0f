"""Variables of the environment, and files that stand in for them.

`PILOTHOUSE_X_FILE=/path` is read as `PILOTHOUSE_X`, without the white space around it: a mounted
secret then never stands in the environment, where child processes and crash reports see it.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsError

PREFIX = "PILOTHOUSE_"
SUFFIX = "_FILE"


class Environment(EnvSettingsSource):
    """Settings from variables and from the files that variables name."""

    def __init__(self, settings: type[BaseSettings]) -> None:
        super().__init__(settings)
        self.env_vars = with_files(self.env_vars)


def with_files(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """The variables together with those that are given as files. Raises `SettingsError`."""
    read: dict[str, str | None] = {}
    for name, path in variables.items():
        wanted = name[: -len(SUFFIX)]
        if not (name.upper().startswith(PREFIX) and name.upper().endswith(SUFFIX) and path):
            continue
        if variables.get(wanted):
            raise SettingsError(f"  {wanted.upper()} and {name.upper()} are both set. Keep one of them.")
        read[wanted] = _content(name.upper(), path)
    return {**variables, **read}


def _content(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8"
        raise SettingsError(f"  {name}: the file {path} cannot be read: {reason}.") from exc
