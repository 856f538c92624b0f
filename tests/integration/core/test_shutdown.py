"""A service that is asked to stop ends what has no end, finishes what has, and takes nothing new."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from support.ingest import eventually
from support.stack import free_port

HERE = Path(__file__).parent


@asynccontextmanager
async def stoppable(
    gate: Path, grace: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx2.AsyncClient]]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "stoppable.py"),
        str(gate),
        env={**os.environ, "PILOTHOUSE_SERVER_PORT": str(port), "PILOTHOUSE_SERVER_GRACE": grace},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False
        ) as client:
            await eventually(lambda: reachable(client), bool)
            yield process, client
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def reachable(client: httpx2.AsyncClient) -> bool:
    try:
        return (await client.get("/livez", headers={"connection": "close"})).status_code == 200
    except httpx2.TransportError:
        return False


async def test_running_requests_end_properly_and_endless_ones_at_once(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with (
        stoppable(gate, "25") as (process, client),
        client.stream("GET", "/slow") as slow,
        client.stream("GET", "/endless") as endless,
    ):
        pieces = slow.aiter_text()
        assert await anext(pieces) == "begun "
        process.send_signal(signal.SIGTERM)
        # Ended, not cut off: the client connects again, elsewhere.
        assert "".join([piece async for piece in endless.aiter_text()]) == "begun "
        await eventually(lambda: reachable(client), lambda answer: not answer)
        gate.touch()
        assert "".join([piece async for piece in pieces]) == "ended"
        async with asyncio.timeout(10):
            await process.wait()


async def test_what_does_not_end_in_the_grace_time_is_cut_off(tmp_path: Path) -> None:
    async with stoppable(tmp_path / "gate", "1") as (process, client), client.stream("GET", "/slow") as slow:
        pieces = slow.aiter_text()
        assert await anext(pieces) == "begun "
        process.send_signal(signal.SIGTERM)
        with pytest.raises(httpx2.TransportError):
            await anext(pieces)
        async with asyncio.timeout(10):
            await process.wait()
