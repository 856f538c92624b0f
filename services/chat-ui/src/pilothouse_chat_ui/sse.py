"""Server-sent events on their way to the browser."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

KEEPALIVE = b": keep-alive\n\n"


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `data` is JSON text without line breaks."""

    id: str
    type: str
    data: str

    def encode(self) -> bytes:
        """The event as it goes over the wire."""
        return format_sse_event(id=self.id, event=self.type, data_str=self.data)


class EventStream(StreamingResponse):
    """Server-sent events. Not FastAPI's class: routes answer with problems until the stream begins."""

    media_type = "text/event-stream"


def event_stream(
    events: AsyncIterator[Event | None], headers: Mapping[str, str] | None = None
) -> EventStream:
    """A response that sends the events; `None` becomes a keep-alive comment."""
    return EventStream(
        _encoded(events),
        headers={"cache-control": "no-store", "x-accel-buffering": "no", **(headers or {})},
    )


async def _encoded(events: AsyncIterator[Event | None]) -> AsyncIterator[bytes]:
    # A first byte at once: proxies and browsers then know that the stream stands.
    yield KEEPALIVE
    async for event in events:
        yield KEEPALIVE if event is None else event.encode()
