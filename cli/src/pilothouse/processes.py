"""Processes that must not outlive the one that started them, and finding those that did."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process id together with its start time, so that a reused id is not mistaken for the process."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """Identify a living process; None when there is none with this id."""
        try:
            return cls(pid=pid, started=psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    def process(self) -> psutil.Process | None:
        """The same process if it still lives (a zombie does not count)."""
        try:
            process = psutil.Process(self.pid)
            # The kernel counts in clock ticks and psutil adds the boot time, which can shift by a tick.
            if abs(process.create_time() - self.started) > 0.05 or process.status() == psutil.STATUS_ZOMBIE:
                return None
        except psutil.NoSuchProcess:
            return None
        return process

    @property
    def alive(self) -> bool:
        """Whether the process still lives."""
        return self.process() is not None


def die_with_parent(signum: int) -> Callable[[], None] | None:
    """A `preexec_fn` that has the kernel signal the child when this process dies, kill -9 included.

    The kernel watches the *thread* that forked, so this is only armed from the main thread; elsewhere the
    child would be stopped as soon as a short-lived worker thread ends. None where there is no such call.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def arm() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0)
        # The parent may have died between fork and prctl; then no signal would ever come.
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return arm


def stop_process(process: psutil.Process, *, signals: tuple[tuple[int, float], ...]) -> bool:
    """Send each signal in turn, waiting the given seconds after it, until the process is gone."""
    for signum, grace in signals:
        try:
            process.send_signal(signum)
        except psutil.NoSuchProcess:
            return True
        deadline = time.monotonic() + grace
        while time.monotonic() < deadline:
            if has_ended(process):
                return True
            time.sleep(0.02)
    return has_ended(process)


def has_ended(process: psutil.Process) -> bool:
    """Whether it is gone; one that nobody has waited for counts, some containers never do."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def listener_on(port: int) -> str | None:
    """Name the process that listens on a TCP port here, e.g. `python3 (pid 4711)`; None if unknown."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        # macOS shows sockets of other processes to root only.
        return None
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            if connection.pid is None:
                return None
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.Error:
                return f"pid {connection.pid}"
    return None


def last_lines(path: Path, count: int = 15) -> list[str]:
    """The last lines of a log, oldest first; empty when there is no log."""
    try:
        with path.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - 16_384))
            text = log.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-count:]
