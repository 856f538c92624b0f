"""HTTP for news of one's own sessions."""

from typing import Annotated

from fastapi import APIRouter, Header

from pilothouse_chat_ui.dependencies import CurrentPrincipal, SessionWatcher
from pilothouse_chat_ui.events.watching import SessionEvent
from pilothouse_chat_ui.sse import EventStream, event_stream
from pilothouse_core.failover import RepeatingRoute

router = APIRouter(prefix="/api/events", route_class=RepeatingRoute, tags=["sessions"])


@router.get(
    "",
    response_class=EventStream,
    responses={200: {"description": "Server-sent events `session`, without an end.", "model": SessionEvent}},
)
async def watch_sessions(
    principal: CurrentPrincipal,
    watcher: SessionWatcher,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventStream:
    """Tells when one of one's own conversations is begun, changed, answered or deleted."""
    since = None
    if last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit():
        since = int(last_event_id[:20])
    # Read before the stream stands: whatever happens after its first byte is told.
    known = await watcher.snapshot(principal.subject)
    return event_stream(watcher.watch(principal.subject, known, since))
