"""What routes get handed: the caller, the pool, the queue, the listener, the settings."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from pilothouse_core.auth import Authenticator, Principal
from pilothouse_core.database import Pool
from pilothouse_ingest.events.hub import EventHub
from pilothouse_ingest.jobs.queue import IndexQueue
from pilothouse_ingest.settings import IngestSettings


@dataclass(frozen=True, slots=True)
class Resources:
    """What the lifespan opened."""

    settings: IngestSettings
    authenticator: Authenticator
    pool: Pool
    queue: IndexQueue
    hub: EventHub


def resources(request: Request) -> Resources:
    """The app's resources, there from start to stop."""
    found = request.app.state.resources
    assert isinstance(found, Resources)
    return found


def caller(request: Request) -> Principal:
    """Who is asking. Raises a 401 `Problem`."""
    return resources(request).authenticator.authenticate(request)


def pool(request: Request) -> Pool:
    """The database."""
    return resources(request).pool


ResourcesDep = Annotated[Resources, Depends(resources)]
CallerDep = Annotated[Principal, Depends(caller)]
PoolDep = Annotated[Pool, Depends(pool)]
