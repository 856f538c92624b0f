"""What a run is inside the service."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from pilothouse_chat_ui.messages.models import Json

EventType: TypeAlias = Literal["sources", "token", "done", "error"]
Outcome: TypeAlias = Literal["done", "stopped", "error"]


@dataclass(frozen=True, slots=True)
class Run:
    """The making of one answer. `id` is also the answer's id.

    `request` holds what is to be done: `question`, the id of the question that is answered, and
    `collection`, what is searched (null for everything).
    """

    id: UUID
    session_id: UUID
    owner: str
    groups: list[str]
    attempt: int
    stop_requested: bool
    request: Json


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a run: who has it, and for how long without a sign of life."""

    holder: str
    length: timedelta


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One step of a run. Numbers increase, without gaps, over all attempts of the run."""

    seq: int
    type: EventType
    data: Json


class LeaseLost(Exception):
    """Another replica works on this run, or it is gone; this replica must write nothing more."""
