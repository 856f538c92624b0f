"""How many cores this process may use: those of the machine, or fewer where a container is held to less."""

import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def cores(cgroups: Path = CGROUPS) -> int:
    """At least one. A part of a core counts as a whole one."""
    machine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroups)
    return machine if quota is None else max(1, min(machine, -int(-quota // 1)))


def spare_cores() -> int:
    """All cores but one.

    llama.cpp's threads wait for each other after every step, so one that must share its core holds up all:
    on two busy cores, two threads were measured to be 16 to 50 times slower than one.
    """
    return max(1, cores() - 1)


def _quota(cgroups: Path) -> float | None:
    """Cores that the container may use at once, by control groups of version 2 or 1; None: no limit."""
    try:
        limit, period = (cgroups / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            limit = (cgroups / "cpu" / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (cgroups / "cpu" / "cpu.cfs_period_us").read_text(encoding="ascii").strip()
        except OSError:
            return None
    if not limit.isdecimal() or not period.isdecimal():
        return None
    return int(limit) / int(period)
