"""Which model answers, for pages and people that want to say it."""

from fastapi import APIRouter
from pydantic import BaseModel

from pilothouse_core.problem import PROBLEM_RESPONSES
from pilothouse_query.dependencies import Caller, Model
from pilothouse_query.model.client import ModelUnavailable

router = APIRouter(prefix="/v1", tags=["model"], responses=PROBLEM_RESPONSES)


class ModelStatus(BaseModel):
    """The language model: its name, None while it is not known, whether it answers now, and if not, why."""

    name: str | None
    available: bool
    reason: str | None = None


class Status(BaseModel):
    """What the service works with."""

    model: ModelStatus


@router.get("/status")
async def status(caller: Caller, model: Model) -> Status:  # noqa: ARG001  only known callers are told
    """The language model's name, and whether its server answers at this moment."""
    try:
        limits = await model.probe()
    except ModelUnavailable:
        return Status(model=ModelStatus(name=None, available=False, reason=model.fault))
    return Status(model=ModelStatus(name=limits.model, available=True))
