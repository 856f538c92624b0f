"""Settings of the bulk ingest; it reads the worker's too."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_settings import NoDecode

from pilothouse_core.settings import Duration
from pilothouse_ingest.collections.schemas import Grant
from pilothouse_ingest.settings import WorkerProcessSettings


def _listed(value: object) -> object:
    return tuple(filter(None, re.split(r"\s*,\s*", value.strip()))) if isinstance(value, str) else value


Grants = Annotated[tuple[Grant, ...], NoDecode, BeforeValidator(_listed)]


class BulkSettings(BaseModel):
    """Whose documents they become, and how patiently."""

    subject: str = Field(
        default="bulk",
        min_length=1,
        max_length=255,
        description="Who owns the documents, and the collection when it is new.",
    )
    readers: Grants = Field(
        default=("everyone",),
        description="Who may read a collection that is made: `everyone`, `user:NAME` or `group:NAME`, "
        "separated by commas.",
    )
    writers: Grants = Field(
        default=(), description="Who may write to a collection that is made, beside its owner."
    )
    parts: Annotated[int, Field(ge=1)] = Field(
        default=1,
        description="Parts that the folder is taken in, where JOB_COMPLETION_INDEX says which one this is.",
    )
    ahead: Annotated[int, Field(ge=1)] = Field(
        default=256,
        description="Documents that one process puts into the queue before they are indexed, at most.",
    )
    report: Duration = Field(default=timedelta(seconds=5), description="How often progress is logged.")
    patience: Duration = Field(
        default=timedelta(minutes=10),
        description="How long nothing may move, for example while the database or the embedding server is "
        "away, before the run is given up.",
    )


class BulkProcessSettings(WorkerProcessSettings):
    """All settings of a bulk process."""

    bulk: BulkSettings = Field(default_factory=BulkSettings)
