"""One deed of a script as a fixed row of bytes, so a run that is cut short keeps what it has seen.

A row of a session tells how it began; a row of a file tells how it went. Phases that were never
reached are NaN. Pure but for `read_records`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from enum import IntEnum
from math import nan
from pathlib import Path
from typing import Final

ROW: Final = struct.Struct("<BBHIIQdd9f")
PHASES: Final = (
    "lag",
    "connect",
    "login",
    "open",
    "queue",
    "first_byte",
    "data",
    "final",
    "total",
)


class Kind(IntEnum):
    """What a row is about."""

    SESSION = 0
    FILE = 1
    SCRIPT = 2


class Outcome(IntEnum):
    """How it ended. Only CORRUPT is a lie: the server said done, and the bytes say otherwise."""

    DONE = 0
    REFUSED = 1  # a reply of 4xx or 5xx
    LOST = 2  # the connection ended under it
    LATE = 3  # the script's patience ended first
    CORRUPT = 4
    ABORTED = 5  # the script itself gave up, on purpose
    LEFT = 6  # never tried: the script had ended after an earlier failure
    CUT = 7  # the run ended first
    SKIPPED = 8  # never started: too many scripts were running already


@dataclass(slots=True)
class Record:
    """One row; times are seconds, moments are of the machine's monotonic clock."""

    kind: Kind
    outcome: Outcome
    code: int  # the last reply's, 0 without one
    script: int
    file: int
    moved: int
    scheduled: float
    ended: float
    lag: float = nan
    connect: float = nan
    login: float = nan
    open: float = nan
    queue: float = nan
    first_byte: float = nan
    data: float = nan
    final: float = nan
    total: float = nan

    def packed(self) -> bytes:
        """Return the row."""
        return ROW.pack(*astuple(self))


def unpacked(rows: bytes) -> Iterator[Record]:
    """Read rows; an unfinished one at the end is left out."""
    whole = len(rows) - len(rows) % ROW.size
    for kind, outcome, *rest in ROW.iter_unpack(rows[:whole]):
        yield Record(Kind(kind), Outcome(outcome), *rest)


def read_records(folder: Path) -> list[Record]:
    """Read all rows that the workers of a run have left in a folder."""
    return [
        record for path in sorted(folder.glob("*.rows")) for record in unpacked(path.read_bytes())
    ]
