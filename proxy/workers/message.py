"""What a parent and its children say to each other: a word, and which reload it is about. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import IntEnum
from typing import Final, TypeAlias

from proxy.events import Reloaded, ReloadRefused

LONGEST: Final = 1 << 17  # bytes; a socket's buffer holds more

Outcome: TypeAlias = Reloaded | ReloadRefused


class Word(IntEnum):
    """The first byte of a message."""

    # By a child.
    SERVES = 0
    SOUND = 1  # its loop turns, its books are in order
    DRAIN = 2  # somebody has asked it to have all of them end
    RELOAD = 3  # somebody has asked it to have all of them read the file anew
    JUDGED = 4  # what would become of the reload there
    # By the parent.
    JUDGE = 5  # the file was read anew: do what can fail
    DECIDED = 6  # what becomes of it


def message(word: Word, reload: int = 0, outcome: Outcome | None = None) -> bytes:
    """Write one message; of an outcome with too many words as many as fit."""
    head = bytes([word, reload])
    if outcome is None:
        return head
    told = asdict(outcome)
    while len(text := json.dumps(told).encode()) > LONGEST - len(head):
        told = {key: lines[: len(lines) // 2] for key, lines in told.items()}
    return head + text


def outcome_in(heard: bytes) -> Outcome:
    """Read the outcome that a message tells."""
    told = {key: tuple(lines) for key, lines in json.loads(heard[2:]).items()}
    return ReloadRefused(**told) if "problems" in told else Reloaded(**told)
