"""HTTP for what the page needs to know first."""

import asyncio
from typing import Literal

from fastapi import APIRouter, status
from pydantic import BaseModel, Field

from pilothouse_chat_ui.config.model_status import ModelStatus
from pilothouse_chat_ui.dependencies import AppState, CurrentPrincipal
from pilothouse_chat_ui.ingest.samples import SamplesAdded
from pilothouse_core import __version__

router = APIRouter(prefix="/api", tags=["config"])

FORMATS = (".txt", ".md", ".markdown", ".rst", ".html", ".htm", ".pdf", ".docx")
DEFAULT_COLLECTION = "default"


class PrincipalOut(BaseModel):
    """Who is asking."""

    subject: str


class Limits(BaseModel):
    """What can be sent."""

    max_upload_bytes: int
    max_question_chars: int


class Config(BaseModel):
    """What the page needs to know."""

    version: str
    auth_mode: Literal["local", "token", "proxy", "none"] = Field(
        description="How people are told apart; `none`: not at all, everybody is one principal."
    )
    principal: PrincipalOut
    model: ModelStatus
    limits: Limits
    formats: tuple[str, ...] = Field(description="File name endings that can be uploaded.")
    default_collection: str
    samples: bool = Field(description="Whether sample documents can be added and have not been yet.")


@router.get("/config")
async def read_config(principal: CurrentPrincipal, state: AppState) -> Config:
    """What the page needs to know before it shows anything."""
    headers = state.authenticator.headers(principal)
    model, samples = await asyncio.gather(state.model.status(headers), state.samples.offered(headers))
    return Config(
        version=__version__,
        auth_mode=state.settings.auth.mode,
        principal=PrincipalOut(subject=principal.subject),
        model=model,
        limits=Limits(
            max_upload_bytes=state.settings.upload.max_bytes,
            max_question_chars=state.settings.question.max_chars,
        ),
        formats=FORMATS,
        default_collection=DEFAULT_COLLECTION,
        samples=samples,
    )


@router.post("/samples", status_code=status.HTTP_202_ACCEPTED)
async def add_samples(principal: CurrentPrincipal, state: AppState) -> SamplesAdded:
    """Uploads the sample documents into the collection `samples`; doing it again changes nothing."""
    return await state.samples.add(state.authenticator.headers(principal))
