"""What routes ask for. The lifespan makes it once; nothing here is global."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

import httpx2
from fastapi import Depends, Request

from pilothouse_chat_ui.config.model_status import ModelMonitor
from pilothouse_chat_ui.events.watching import Watcher
from pilothouse_chat_ui.ingest.samples import Samples
from pilothouse_chat_ui.runs.executor import Executor
from pilothouse_chat_ui.runs.following import Follower
from pilothouse_chat_ui.settings import Settings
from pilothouse_core.auth import Authenticator, Principal
from pilothouse_core.database import Pool


@dataclass(frozen=True, slots=True)
class State:
    """Everything that is open while the service runs."""

    settings: Settings
    authenticator: Authenticator
    pool: Pool
    ingest: httpx2.AsyncClient
    executor: Executor
    follower: Follower
    watcher: Watcher
    model: ModelMonitor
    samples: Samples


def _state(request: Request) -> State:
    state = request.app.state.service
    assert isinstance(state, State)
    return state


AppState: TypeAlias = Annotated[State, Depends(_state)]


def _settings(state: AppState) -> Settings:
    return state.settings


def _pool(state: AppState) -> Pool:
    return state.pool


def _principal(request: Request, state: AppState) -> Principal:
    return state.authenticator.authenticate(request)


def _executor(state: AppState) -> Executor:
    return state.executor


def _follower(state: AppState) -> Follower:
    return state.follower


def _watcher(state: AppState) -> Watcher:
    return state.watcher


AppSettings: TypeAlias = Annotated[Settings, Depends(_settings)]
DatabasePool: TypeAlias = Annotated[Pool, Depends(_pool)]
CurrentPrincipal: TypeAlias = Annotated[Principal, Depends(_principal)]
RunExecutor: TypeAlias = Annotated[Executor, Depends(_executor)]
RunFollower: TypeAlias = Annotated[Follower, Depends(_follower)]
SessionWatcher: TypeAlias = Annotated[Watcher, Depends(_watcher)]
