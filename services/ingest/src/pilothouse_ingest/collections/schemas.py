"""Collections on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

Grant = Annotated[
    str,
    StringConstraints(pattern=r"^(everyone|user:[^\x00-\x1f]{1,255}|group:[^\x00-\x1f]{1,255})$"),
]


class Access(BaseModel):
    """Who may read and write: `everyone`, `user:<subject>` or `group:<name>`. The owner always may."""

    readers: list[Grant]
    writers: list[Grant]


class AccessIn(BaseModel):
    """Who may read and write from now on; of a new collection, what is left out is `everyone`."""

    readers: list[Grant] | None = Field(default=None, max_length=1000)
    writers: list[Grant] | None = Field(default=None, max_length=1000)


class CollectionIn(BaseModel):
    """What to set; what is left out stays as it is."""

    description: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")] | None = None
    access: AccessIn | None = None


class CollectionOut(BaseModel):
    """A collection with the counts of its documents."""

    name: str
    description: str
    access: Access
    owner: str
    document_count: int
    indexed_count: int
    failed_count: int
    chunk_count: int
    created_at: datetime
    updated_at: datetime


class CollectionPage(BaseModel):
    """A page of collections, by name."""

    items: list[CollectionOut]
    next_cursor: str | None
