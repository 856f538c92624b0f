"""What routes get: the caller and the services that the lifespan made."""

from typing import Annotated, TypedDict

from fastapi import Depends, Request

from pilothouse_core.auth import Authenticator, Principal
from pilothouse_core.database import Pool
from pilothouse_core.embedding import Embedder
from pilothouse_query.chat.service import AnswerService
from pilothouse_query.model.client import OpenAIChatModel
from pilothouse_query.search.service import SearchService
from pilothouse_query.settings import Settings


class State(TypedDict):
    """What the lifespan yields; each request sees it as `request.state`."""

    settings: Settings
    pool: Pool
    embedder: Embedder
    authenticator: Authenticator
    search: SearchService
    answers: AnswerService
    model: OpenAIChatModel


def _caller(request: Request) -> Principal:
    authenticator: Authenticator = request.state.authenticator
    return authenticator.authenticate(request)


def _search(request: Request) -> SearchService:
    service: SearchService = request.state.search
    return service


def _answers(request: Request) -> AnswerService:
    service: AnswerService = request.state.answers
    return service


def _model(request: Request) -> OpenAIChatModel:
    model: OpenAIChatModel = request.state.model
    return model


Caller = Annotated[Principal, Depends(_caller)]
Search = Annotated[SearchService, Depends(_search)]
Answers = Annotated[AnswerService, Depends(_answers)]
Model = Annotated[OpenAIChatModel, Depends(_model)]
