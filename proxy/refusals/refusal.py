"""One refusal: the code it deserves and the one line a client reads. Pure; never sends anything.

Whatever a name or the server's words contain, the line is printable ASCII and short enough for
every client measured: ncftp cuts a reply's text at 127 characters, others at the first tab, and
many show one line only. So everything stands in one sentence, complete in itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .reason import Entry, Reason, Scope
from .table import REFUSALS

LONGEST = 120  # characters of text after the code and its space
LONGEST_WHO = 40  # an IPv6 address fits
LONGEST_REF = 12
LEAST_WORTH_SHOWING = 8  # a name cut shorter than this tells nobody anything
HIGHEST_NUMBER = 99999


@dataclass(frozen=True, slots=True)
class Refusal:
    """Everything known about one refusal. `who` and `words` may be hostile; they are cleaned here.

    `scope` and `setting` are given where they differ from the table's: before the login all is 421,
    and some limits stand in more than one place. An empty setting: none is to blame.
    """

    reason: Reason
    ref: str
    used: int | None = None
    limit: int | None = None
    who: str = ""
    retry: float | None = None  # seconds until a new try can succeed
    words: str = ""  # the server's own
    waited: float | None = None
    scope: Scope | None = None
    setting: str | None = None

    def code(
        self, transfer_code: int, *, preliminary_sent: bool = False, listing: bool = False
    ) -> int:
        """Choose the reply code; whoever sends a 421 closes the connection."""
        if preliminary_sent:
            # RFC 959 §5.4: a transfer that has heard its 1xx ends with 426, never with 425.
            return 426
        if (own := REFUSALS[self.reason].code) is not None:
            return own
        if (self.scope or REFUSALS[self.reason].scope) is Scope.SESSION:
            return 421
        if listing and transfer_code == 450:
            # curl takes 450 to LIST for an empty directory, rclone for a missing one.
            return 425
        return transfer_code

    def sentence(self) -> str:
        """Say it in at most LONGEST printable characters, what matters most first."""
        entry = REFUSALS[self.reason]
        end = f", {self._advice(entry)}. Ref {_reference(self.ref)}"
        room = LONGEST - len(entry.sentence) - len(end)
        # A table's test holds the promise that a row with its setting alone always fits.
        details = next(text for text in self._details(entry) if len(text) <= room)
        room -= len(details)
        words = _clause(": ", self.words, room)
        room -= len(words)
        who = _clause(" for ", self.who, min(room, LONGEST_WHO))
        return f"{entry.sentence}{who}{details}{words}{end}"

    def _advice(self, entry: Entry) -> str:
        seconds = _whole_seconds(self.retry) if entry.retry_helps else None
        return entry.advice if seconds is None else f"{entry.advice}: about {seconds} s"

    def _details(self, entry: Entry) -> Iterator[str]:
        """Offer the parenthesis from the richest down; the setting is never left out."""
        amount = self._amount(entry.unit)
        waited = _whole_seconds(self.waited)
        patience = "" if waited is None else f"waited {waited} s"
        setting = entry.setting or "" if self.setting is None else self.setting
        for parts in ((amount, patience, setting), (amount, setting), (setting,)):
            told = ", ".join(part for part in parts if part)
            yield f" ({told})" if told else ""

    def _amount(self, unit: str) -> str:
        if self.limit is None:
            return "" if self.used is None else f"{_number(self.used)}{unit}"
        if self.used is None:
            return f"limit {_number(self.limit)}{unit}"
        return f"{_number(self.used)} of {_number(self.limit)}{unit}"


def _clause(lead: str, text: str, room: int) -> str:
    """Fit a foreign text behind its lead; empty if there is nothing, or no room worth using."""
    # Cut before cleaning, so that a megabyte of hostile text costs nothing.
    clean = re.sub(r"[^ -~]", "?", re.sub(r"\s+", " ", text[: 4 * LONGEST])).strip(" .")
    space = room - len(lead)
    if not clean or space < min(len(clean), LEAST_WORTH_SHOWING):
        return ""
    if len(clean) > space:
        clean = clean[: space - 3].rstrip() + "..."
    return lead + clean


def _reference(ref: str) -> str:
    return re.sub(r"[^0-9A-Za-z-]", "", ref[: 4 * LONGEST])[:LONGEST_REF] or "unknown"


def _number(value: int) -> str:
    return f"{HIGHEST_NUMBER}+" if value > HIGHEST_NUMBER else str(max(0, value))


def _whole_seconds(seconds: float | None) -> int | None:
    """Round up, so that nobody comes back too early; None if it is not known."""
    if seconds is None or not math.isfinite(seconds):
        return None
    return min(HIGHEST_NUMBER, max(1, math.ceil(seconds)))
