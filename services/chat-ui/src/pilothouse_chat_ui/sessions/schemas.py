"""Sessions as they go over the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pilothouse_chat_ui.text import PlainText

Title = Annotated[PlainText, StringConstraints(strip_whitespace=True, max_length=200)]
CollectionName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class SessionOut(BaseModel):
    """A conversation."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    collection: str | None = Field(description="What is searched; null: all that you may read.")
    created_at: datetime
    updated_at: datetime
    active_run_id: UUID | None = Field(description="The answer that is being made, if any.")


class NewSession(BaseModel):
    """A conversation to begin. Without a title it gets one from its first question."""

    title: Title = ""
    collection: CollectionName | None = None


class SessionChange(BaseModel):
    """What to change; what is left out stays as it is."""

    title: Title | None = None
    collection: CollectionName | None = None
