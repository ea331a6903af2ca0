"""What a process costs, read from /proc: processor time and memory. Never asks the process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds so far, memory now, and the most memory so far, in bytes."""

    cpu: float
    memory: int
    memory_most: int


def cost_of(pid: int) -> Cost | None:
    """Read what a process has cost; None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    # The name in brackets may contain anything; the numbers begin behind the last bracket.
    numbers = stat.rpartition(")")[2].split()
    kilobytes = {
        line.split(":")[0]: int(line.split()[1])
        for line in status.splitlines()
        if line.startswith(("VmRSS:", "VmHWM:"))
    }
    return Cost(
        (int(numbers[11]) + int(numbers[12])) / TICKS,
        kilobytes.get("VmRSS", 0) * 1024,
        kilobytes.get("VmHWM", 0) * 1024,
    )
