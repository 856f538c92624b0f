"""A few long-lived parser processes, each replaced after a number of files or after a failure."""

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from pilothouse_ingest.parsing.models import ParsedDocument, ParseError, document_from_json
from pilothouse_ingest.settings import ParsingSettings

log = structlog.get_logger()

# A parser needs to find its libraries, and none of the secrets that services get by environment.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TZ")

_MEMORY_SECONDS = 0.5  # between two looks at a process's memory
_NO_ROOM = 4 * 2**20  # bytes; Python takes memory from the system in pieces of 1 MiB


class ParserPool:
    """Parses files in child processes. Use as an async context manager."""

    def __init__(self, settings: ParsingSettings) -> None:
        self._settings = settings
        self._free = asyncio.Semaphore(settings.processes)
        self._idle: list[_Child] = []

    async def __aenter__(self) -> "ParserPool":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for child in self._idle:
            await child.stop()
        self._idle.clear()

    async def parse(self, slices: AsyncIterator[bytes], *, size: int, media_type: str) -> ParsedDocument:
        """Parses `size` bytes that arrive in slices. Raises `ParseError`; waits for a free process."""
        async with self._free:
            child = self._idle.pop() if self._idle else await _start(self._settings)
            try:
                async with asyncio.timeout(self._settings.wall_time.total_seconds()):
                    request = {"media_type": media_type, "size": size}
                    answer = await child.ask_while(child.has_memory(self._settings.memory), request, slices)
            except MemoryError as exc:
                await child.stop()
                raise _out_of_memory(self._settings) from exc
            except TimeoutError as exc:
                await child.stop()
                raise _timeout(self._settings) from exc
            except (asyncio.IncompleteReadError, ConnectionError, json.JSONDecodeError) as exc:
                raise _death(await child.stop(), self._settings) from exc
            except BaseException:  # cancelled, or the slices failed: what the child says next is for no one
                await child.stop()
                raise
            if child.parsed >= self._settings.recycle_after or answer.rss > self._settings.memory // 2:
                await child.stop()
            elif answer.error is None or answer.error["code"] != "parse_out_of_memory":
                self._idle.append(child)
            else:
                await child.stop()
        if answer.error is not None:
            if answer.error["code"] == "parse_out_of_memory":
                raise _out_of_memory(self._settings)
            raise ParseError(answer.error["code"], answer.error["detail"])
        return await asyncio.to_thread(answer.document)


@dataclass(frozen=True, slots=True)
class _Answer:
    error: dict[str, str] | None
    rss: int
    structure: bytes = b""
    text: bytes = b""

    def document(self) -> ParsedDocument:
        return document_from_json(self.text.decode(), json.loads(self.structure))


class _Child:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.parsed = 0

    async def ask_while(
        self, has_memory: Coroutine[None, None, None], request: dict[str, Any], slices: AsyncIterator[bytes]
    ) -> _Answer:
        """The answer. Raises `MemoryError` when `has_memory` ends first."""
        answer = asyncio.create_task(self.ask(request, slices))
        full = asyncio.create_task(has_memory)
        try:
            await asyncio.wait((answer, full), return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise MemoryError
            return answer.result()
        finally:
            answer.cancel()
            full.cancel()
            await asyncio.gather(answer, full, return_exceptions=True)

    async def has_memory(self, limit: int) -> None:
        """Ends when the process has used up its memory and did not say so.

        CPython 3.11 can spin for ever when an exception handler finds no memory for a number:
        it raises MemoryError there, and looks for the handler again.
        """
        statm = Path(f"/proc/{self._process.pid}/statm")
        strikes = 0
        while strikes < 2:
            await asyncio.sleep(_MEMORY_SECONDS)
            try:
                pages = int(statm.read_text(encoding="ascii").split()[0])  # noqa: ASYNC240  no disk behind it
            except (OSError, IndexError):  # it has ended, or this is no Linux; the other limits hold
                continue
            strikes = strikes + 1 if pages * resource.getpagesize() > limit - _NO_ROOM else 0

    async def ask(self, request: dict[str, Any], slices: AsyncIterator[bytes]) -> _Answer:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        self.parsed += 1
        stdin.write(json.dumps(request).encode() + b"\n")
        async for piece in slices:
            stdin.write(piece)
            await stdin.drain()
        line = await stdout.readline()
        if not line:
            raise asyncio.IncompleteReadError(b"", None)
        header = json.loads(line)
        if "error" in header:
            return _Answer(header["error"], header["rss"])
        structure = await stdout.readexactly(header["structure"])
        return _Answer(None, header["rss"], structure, await stdout.readexactly(header["text"]))

    async def stop(self) -> int:
        """Ends the process and returns its exit status; one that has ended already keeps its own."""
        # A dying process has closed its pipes a moment before its status is known.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2 if self._process.stdout and self._process.stdout.at_eof() else 0):
                return await self._process.wait()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        return 0


async def _start(settings: ParsingSettings) -> _Child:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        "pilothouse_ingest.parsing.child",
        str(int(settings.memory)),
        str(int(settings.cpu_time.total_seconds())),
        str(settings.max_characters),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        # A terminal's Ctrl-C goes to the worker alone; it lets running files end.
        start_new_session=True,
    )
    return _Child(process)


def _death(status: int, settings: ParsingSettings) -> ParseError:
    log.warning("parser_died", status=status)
    if status == -signal.SIGXCPU:
        return _timeout(settings)
    if status == -signal.SIGKILL:  # not by us: the system was out of memory
        return _out_of_memory(settings)
    return ParseError(
        "parse_crashed",
        "Reading this file made the parser crash, so the file was set aside. "
        "Open it in the program that made it, save it again and upload the new copy.",
    )


def _timeout(settings: ParsingSettings) -> ParseError:
    return ParseError(
        "parse_timeout",
        f"Reading this file took longer than {int(settings.wall_time.total_seconds())} seconds "
        f"(or {int(settings.cpu_time.total_seconds())} of processor time), so it was stopped. "
        "Split the file, or raise PILOTHOUSE_PARSING_WALL_TIME and PILOTHOUSE_PARSING_CPU_TIME.",
    )


def _out_of_memory(settings: ParsingSettings) -> ParseError:
    return ParseError(
        "parse_out_of_memory",
        f"Reading this file needed more than {int(settings.memory) // 2**20} MiB of memory, so it was "
        "stopped. Split the file, or raise PILOTHOUSE_PARSING_MEMORY.",
    )
