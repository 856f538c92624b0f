"""Whether a database URL can be read. It is checked first: libpq's own words repeat parts of the password."""

import re

import psycopg
from psycopg.conninfo import conninfo_to_dict

PORTS = re.compile(r"\d*(,\d*)*")


def conninfo_fault(url: str) -> str | None:
    """What is wrong with a libpq URL, without a word of it; None when it can be read."""
    try:
        said = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return _unreadable("cannot be read")
    # An unescaped / or @ ends the password early, and what is left of it is taken for a port or a host.
    if not PORTS.fullmatch(str(said.get("port", ""))):
        return _unreadable("has a port that is no number")
    if any("@" in host[1:] for host in str(said.get("host", "")).split(",")):
        return _unreadable("has more than one @ before the host")
    return None


def _unreadable(what: str) -> str:
    return (
        f"is a database URL that {what}. Its form is postgresql://USER:PASSWORD@HOST:PORT/DATABASE; in user "
        "and password write % as %25, @ as %40, : as %3A and / as %2F."
    )
