"""The parser process: reads files from stdin, answers on stdout, until stdin ends.

Runs with hard limits on memory and CPU time, without the parent's environment, and
imports nothing of the services but the parsers.

Request: a JSON line `{media_type, size}`, then the file's bytes.
Answer: a JSON line `{structure, text, rss}` (sizes in bytes), then that many bytes of JSON
and of UTF-8 text; or `{error: {code, detail}, rss}`.
"""

import json
import os
import resource
import sys
from dataclasses import dataclass
from typing import Any, BinaryIO

from pilothouse_ingest.parsing.formats import parse
from pilothouse_ingest.parsing.models import ParseError, structure_to_json


@dataclass(frozen=True, slots=True)
class Limits:
    """What one parser process may use."""

    memory_bytes: int
    cpu_seconds: int
    max_characters: int


def main() -> None:
    """Serves one file after the other."""
    limits = Limits(*(int(argument) for argument in sys.argv[1:4]))
    answers = os.fdopen(os.dup(1), "wb")
    # Libraries that print must not disturb the protocol.
    os.dup2(2, 1)
    requests = sys.stdin.buffer
    limit_process(limits.memory_bytes)
    while line := requests.readline():
        request = json.loads(line)
        _allow_cpu(limits.cpu_seconds)
        try:
            structure, text = _parse(requests, request, limits)
        except ParseError as exc:
            _send(answers, {"error": {"code": exc.code, "detail": exc.detail}})
        except MemoryError:
            _send(answers, {"error": {"code": "parse_out_of_memory", "detail": ""}})
            return
        else:
            _send(answers, {"structure": len(structure), "text": len(text)}, structure, text)


def _parse(requests: BinaryIO, request: dict[str, Any], limits: Limits) -> tuple[bytes, bytes]:
    data = requests.read(request["size"])
    if len(data) < request["size"]:
        sys.exit(0)  # the parent went away in the middle
    document = parse(data, request["media_type"])
    if len(document.text) > limits.max_characters:
        raise ParseError(
            "text_too_long",
            f"The document holds {len(document.text):,} characters of text; the limit is "
            f"{limits.max_characters:,}. Split it into smaller files.",
        )
    return json.dumps(structure_to_json(document)).encode(), document.text.encode()


def limit_process(memory_bytes: int) -> None:
    """Limits that hold for the whole life of this process."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # macOS refuses an address space smaller than what it maps into every process; the limits of time remain.
    if sys.platform != "darwin":
        most = _at_most(resource.RLIMIT_AS, memory_bytes)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _at_most(kind: int, wanted: int) -> int:
    """What is wanted, or less where the system grants less: only root may raise a hard limit."""
    _, hard = resource.getrlimit(kind)
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def _allow_cpu(seconds: int) -> None:
    """The limit counts from the process's start, so it moves with every file."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = _at_most(resource.RLIMIT_CPU, int(usage.ru_utime + usage.ru_stime) + seconds + 1)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def peak_memory() -> int:
    """The most memory that this process has had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _send(answers: BinaryIO, header: dict[str, Any], *bodies: bytes) -> None:
    header["rss"] = peak_memory()
    answers.write(json.dumps(header).encode() + b"\n")
    for body in bodies:
        answers.write(body)
    answers.flush()


if __name__ == "__main__":
    main()
