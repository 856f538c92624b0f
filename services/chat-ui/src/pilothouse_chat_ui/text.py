"""Text on its way into PostgreSQL, which holds neither NUL nor half a surrogate pair."""

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, JsonValue

# Replaced one for one, so that offsets into the text stay right.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _storable(text: str) -> str:
    if _UNSTORABLE.search(text):
        raise ValueError("contains a NUL character or half a surrogate pair; remove it")
    return text


PlainText: TypeAlias = Annotated[str, AfterValidator(_storable)]
"""Text from a caller; what cannot be stored is refused with a 422."""


def clean(value: JsonValue) -> JsonValue:
    """The same JSON with characters that cannot be stored replaced by U+FFFD."""
    match value:
        case str():
            return _UNSTORABLE.sub("\ufffd", value)
        case list():
            return [clean(item) for item in value]
        case dict():
            return {str(clean(key)): clean(item) for key, item in value.items()}
    return value
