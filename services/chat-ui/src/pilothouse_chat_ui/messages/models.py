"""What a message is inside the service."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from pydantic import JsonValue

Role: TypeAlias = Literal["user", "assistant"]
Status: TypeAlias = Literal["running", "done", "stopped", "error"]
Json: TypeAlias = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Message:
    """A question or an answer. While an answer is `running`, its content is what it goes on from."""

    id: UUID
    session_id: UUID
    owner: str
    role: Role
    content: str
    status: Status
    collection: str | None
    model: str | None
    sources: list[Json]
    citations: list[Json]
    grounding: Json | None
    error: Json | None
    feedback: Literal["up", "down"] | None
    created_at: datetime

    @property
    def run_id(self) -> UUID | None:
        """The run that made this answer. One answer, one run: they share their id."""
        return self.id if self.role == "assistant" else None
