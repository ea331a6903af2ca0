"""Where scripts hand in what happened: rows to a file, reasons and spots as counts and words.

Knows nothing of FTP beyond codes; never loses a row that was handed in more than a moment ago.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import IO, TypedDict

from ..record import Kind, Outcome, Record

MOST_SPOTS = 100
PATHS = re.compile(r"/\S+")
REFERENCE = re.compile(r"(?<=Ref )\w+")
DIGITS = re.compile(r"\d+(\.\d+)?")


class Tally(TypedDict):
    """What a worker tells its parent, again and again; each time from the beginning."""

    scripts_started: int
    scripts_ended: int
    deeds: int
    failed: int
    moved: int
    reasons: dict[str, int]
    spots: list[str]
    strangers: list[str]


@dataclass(slots=True)
class Desk:
    """One worker's notes."""

    rows: IO[bytes]
    started_at: float
    scripts_started: int = 0
    scripts_ended: int = 0
    deeds: int = 0
    failed: int = 0
    moved: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    spots: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def hand_in(self, record: Record) -> None:
        """Keep a row."""
        self.rows.write(record.packed())
        if record.kind == Kind.FILE:
            self.moved += record.moved
            if record.outcome in (Outcome.DONE, Outcome.ABORTED):
                self.deeds += 1
            else:
                self.failed += 1
        elif record.kind == Kind.SCRIPT:
            self.scripts_ended += 1

    def reason(self, words: str) -> None:
        """Count a reply or an end that a script did not like, without what differs each time."""
        kept = words[:3] if words[:3].isdigit() else ""
        rest = PATHS.sub("PATH", words[len(kept) :])
        rest = DIGITS.sub("N", REFERENCE.sub("REF", rest))
        name = (kept + rest)[:160]
        self.reasons[name] = self.reasons.get(name, 0) + 1

    def corrupt(self, who: str, now: float, words: str) -> None:
        """Note where bytes were wrong although the server said that all was well."""
        self._spot(self.spots, who, now, words)

    def stranger(self, who: str, now: float, words: str) -> None:
        """Note where a reply arrived that belonged to somebody else."""
        self._spot(self.strangers, who, now, words)

    def tally(self) -> Tally:
        """Sum up, and let the rows be read by others."""
        self.rows.flush()
        return Tally(
            scripts_started=self.scripts_started,
            scripts_ended=self.scripts_ended,
            deeds=self.deeds,
            failed=self.failed,
            moved=self.moved,
            reasons=self.reasons,
            spots=self.spots,
            strangers=self.strangers,
        )

    def _spot(self, spots: list[str], who: str, now: float, words: str) -> None:
        if len(spots) < MOST_SPOTS:
            spots.append(f"at {now - self.started_at:.3f} s {who}: {words}")
