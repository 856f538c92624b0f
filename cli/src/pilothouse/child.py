"""One supervised process: started, watched, started again when it dies, given up when that does not help."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pilothouse.parts import Part, environment_of
from pilothouse.processes import ProcessIdentity, die_with_parent, last_lines
from pilothouse.state import PartState, Status

_LOG_LIMIT = 50 << 20
# Without a port there is nothing to ask; imports and settings have been checked after so long.
_SETTLED_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When a dead process is started again. All times in seconds."""

    first_pause: float = 0.5
    longest_pause: float = 30.0
    # A process that lived at least so long has recovered, and its earlier deaths are forgotten.
    recovered_after: float = 60.0
    give_up_after: int = 5
    # One that has never been ready is wrongly set up rather than unlucky.
    give_up_start_after: int = 3

    def pause(self, deaths: int) -> float:
        """How long to wait after so many deaths in a row."""
        return min(self.longest_pause, self.first_pause * 2.0 ** (deaths - 1))


class Child:
    """A part of the product as a process of ours."""

    def __init__(self, part: Part, log: Path, policy: RestartPolicy) -> None:
        self.part = part
        self.log = log
        self._policy = policy
        self._process: subprocess.Popen[bytes] | None = None
        self._identity: ProcessIdentity | None = None
        self._status: Status = "waiting"
        self._started = 0.0
        self._since = time.time()
        self._next_start = 0.0
        self._deaths = 0
        self._was_ready = False
        self._restarts = 0
        self._detail = ""
        self._lines: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """Where it stands."""
        return self._status

    @property
    def state(self) -> PartState:
        """For the state file."""
        return PartState(
            name=self.part.name,
            status=self._status,
            process=self._identity,
            port=self.part.port,
            restarts=self._restarts,
            detail=self._detail,
            log_lines=self._lines,
            since=self._since,
        )

    def start(self) -> None:
        """Start the process; a failure to do so counts as a death."""
        self._started = time.monotonic()
        try:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    self.part.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment_of(self.part),
                    # Its own group, so that what it starts can be ended with it.
                    start_new_session=True,
                    preexec_fn=die_with_parent(signal.SIGTERM),
                )
        except OSError as exc:
            self._process, self._identity = None, None
            self._died(f"could not be started: {exc}")
            return
        if self.part.niceness:
            # Before it has threads: on Linux each has a priority of its own, and new ones take their maker's.
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, self.part.niceness)
        self._identity = ProcessIdentity.of(self._process.pid)
        self._become("starting")

    def tick(self) -> None:
        """Look at the process once, and do what is due."""
        if self._status == "restarting" and time.monotonic() >= self._next_start:
            self._restarts += 1
            self.start()
        elif self._status in {"starting", "ready"} and self._process is not None:
            code = self._process.poll()
            if code is not None:
                self._end_group(signal.SIGKILL)
                self._died(_exit_words(code))
            elif self._status == "starting" and self._is_ready():
                self._become("ready")

    def terminate(self) -> None:
        """Ask the process to end."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def finish(self, grace: float) -> None:
        """Wait for the process to end, and end it and what it started by force after the grace."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(max(0.0, grace))
            self._end_group(signal.SIGKILL)
            self._process.wait()
        self._process, self._identity = None, None
        if self._status != "failed":
            self._become("stopped")

    def _is_ready(self) -> bool:
        if self.part.port is None:
            return time.monotonic() - self._started > _SETTLED_SECONDS
        return answers_ready(self.part.port)

    def _died(self, how: str) -> None:
        lived = time.monotonic() - self._started
        self._deaths = 1 if lived > self._policy.recovered_after else self._deaths + 1
        self._identity = None
        self._lines = tuple(last_lines(self.log))
        self._detail = how
        limit = self._policy.give_up_after if self._was_ready else self._policy.give_up_start_after
        if self._deaths >= limit:
            self._detail = f"{how}, {self._deaths} times in a row"
            self._become("failed")
            note(f"{self.part.name} {self._detail}; it is not started again")
        else:
            pause = self._policy.pause(self._deaths)
            self._next_start = time.monotonic() + pause
            self._become("restarting")
            note(f"{self.part.name} {how}; it is started again in {pause:g} s")

    def _become(self, status: Status) -> None:
        if status == "ready":
            self._detail, self._lines, self._was_ready = "", (), True
        if status != self._status:
            self._status, self._since = status, time.time()

    def _end_group(self, signum: int) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signum)


def note(words: str) -> None:
    """A line in the supervisor's log: the state forgets why a part died once it runs again."""
    # The log may be on a full disk, which must not end what still runs.
    with contextlib.suppress(OSError):
        print(datetime.now(UTC).isoformat(timespec="milliseconds"), words, file=sys.stderr, flush=True)


def answers_ready(port: int) -> bool:
    """Whether the service on this port says that it can serve."""
    return not missing_parts(port)


def missing_parts(port: int, *, timeout: float = 5.0) -> dict[str, str]:
    """What the service on this port lacks, part by part; empty when it can serve."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        if response.status == 200:
            return {}
        missing = json.loads(response.read()).get("missing")
        return dict(missing) if missing else {"service": f"answers with status {response.status}"}
    except (OSError, http.client.HTTPException) as exc:
        return {"service": f"does not answer ({type(exc).__name__})"}
    except (ValueError, AttributeError):
        # Some other program has the port: it speaks HTTP, but not ours.
        return {"service": "answers something that is not Pilothouse's"}
    finally:
        connection.close()


def put_aside(log: Path) -> None:
    """Let a new start begin with an empty log; the one before is kept."""
    with contextlib.suppress(FileNotFoundError):
        log.replace(_older(log))


def shorten(log: Path) -> None:
    """Empty a log that has grown large while it is written to; what it held is kept once.

    The writers append, so they go on at the new beginning.
    """
    try:
        if log.stat().st_size > _LOG_LIMIT:
            shutil.copyfile(log, _older(log))
            os.truncate(log, 0)
    except FileNotFoundError:
        return


def _older(log: Path) -> Path:
    return log.with_name(f"{log.name}.1")


def _exit_words(code: int) -> str:
    if code >= 0:
        return f"stopped with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = " (often: the machine ran out of memory)" if name == "SIGKILL" else ""
    return f"was ended by {name}{hint}"
