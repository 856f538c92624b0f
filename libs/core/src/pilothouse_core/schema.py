"""What this version needs of the database's schema, and what a database has.

A migration is of one of two kinds. After an `expand`, programs that were there before go on
working, so an older version does not mind one that it does not know: upgrades roll, and can be
rolled back. A `contract` takes something away, and older versions refuse the database.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, LiteralString

from pilothouse_core.database import Connection

# Until this migration, the services could not read the table.
READABLE_SINCE = "0006_migrations_readable"
KIND = re.compile(r"-- kind: (?P<kind>expand|contract)\n")

STATE: LiteralString = """
SELECT to_regclass('public.pilothouse_migrations') IS NOT NULL,
       coalesce(has_table_privilege(to_regclass('public.pilothouse_migrations'), 'SELECT'), false)
"""
# The first versions had no column `kind`.
APPLIED: LiteralString = "SELECT name, to_jsonb(m) ->> 'kind' FROM public.pilothouse_migrations AS m"


class NewerDatabaseError(Exception):
    """The database was migrated by a newer Pilothouse than this one, which cannot work with it."""


@cache
def available() -> Mapping[str, str]:
    """All migrations, name to SQL, in the order in which they apply."""
    folder = files("pilothouse_core") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return {name.removesuffix(".sql"): (folder / name).read_text(encoding="utf-8") for name in names}


def kind_of(name: str) -> str:
    """`expand` or `contract`, as the migration says in its first line."""
    match = KIND.match(available()[name])
    if match is None:
        raise ValueError(f"migration {name} does not say its kind in its first line")
    return match["kind"]


def pending_after(applied: Mapping[str, str | None]) -> list[str]:
    """What is still to apply. Raises `NewerDatabaseError` when this version is too old."""
    unknown = sorted(name for name, kind in applied.items() if name not in available() and kind != "expand")
    if unknown:
        raise NewerDatabaseError(
            "This database has been migrated by a newer Pilothouse, and this version cannot work with it "
            f"(it knows {unknown[-1]}). Install that version or newer; nothing was changed."
        )
    return [name for name in available() if name not in applied]


def pending_unread(*, exists: bool) -> list[str]:
    """What is still to apply when the table is not there, or may not be read yet."""
    return [name for name in available() if not exists or name >= READABLE_SINCE]


async def missing_schema(connection: Connection) -> str | None:
    """Why this version cannot work with the database, in words; None when it can."""
    exists, readable = await _row(connection, STATE)
    if not exists:
        return "It has not been migrated yet. Run pilothouse-migrate."
    if readable:
        applied: dict[str, str | None] = dict(await (await connection.execute(APPLIED)).fetchall())
        try:
            names = pending_after(applied)
        except NewerDatabaseError as exc:
            return str(exc)
    else:
        names = pending_unread(exists=True)
    return f"It lacks {', '.join(names)}. Run pilothouse-migrate of this version." if names else None


async def _row(connection: Connection, query: LiteralString) -> tuple[Any, ...]:
    row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return row
