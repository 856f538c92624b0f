"""Text that can be searched for: no NUL character and no half of a surrogate pair.

PostgreSQL refuses the one and the tokenizers refuse the other, both too late to say it well.
"""

import re
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator

_UNREADABLE = re.compile("[\x00\ud800-\udfff]")


def plain(text: str) -> str:
    """The text; raises `ValueError` for one that cannot be searched for."""
    if _UNREADABLE.search(text):
        raise ValueError("contains a NUL character or half a surrogate pair; remove it")
    return text


def _plain_throughout(value: Any) -> Any:
    match value:
        case str():
            plain(value)
        case list():
            for item in value:
                _plain_throughout(item)
        case dict():
            for key, item in value.items():
                plain(key)
                _plain_throughout(item)
    return value


PlainText: TypeAlias = Annotated[str, AfterValidator(plain)]
"""Text from a caller."""

PlainObject: TypeAlias = Annotated[dict[str, Any], AfterValidator(_plain_throughout)]
"""A JSON object from a caller, its keys and texts at any depth."""
