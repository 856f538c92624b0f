"""What goes over the wire about runs, as far as it is not a message."""

from uuid import UUID

from pydantic import BaseModel

from pilothouse_chat_ui.messages.schemas import MessageOut, Source


class SourcesEvent(BaseModel):
    """Event `sources`: what the answer is made from. The text begins anew with every such event."""

    run_id: UUID
    attempt: int
    sources: list[Source]


class TokenEvent(BaseModel):
    """Event `token`: the next piece of text."""

    text: str


class DoneEvent(BaseModel):
    """Event `done`: the answer is finished, or was stopped (`message.status`). The stream ends."""

    message: MessageOut


class ErrorEvent(BaseModel):
    """Event `error`: the answer broke off. The stream ends."""

    code: str
    title: str
    detail: str
    message: MessageOut
