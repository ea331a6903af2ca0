"""Whether one server may hear a command before it has answered the last: learned, never assumed.

A server obeys in order when what we send behind the end of a transfer's data is answered behind
that transfer's final reply. The proof is a NOOP in that place, which harms nobody. Pure.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Mode: TypeAlias = Literal["auto", "on", "off"]

ENOUGH = 3  # proofs
# Round trips (seconds) below this are not worth it: the final reply comes as soon as the last byte.
WORTHWHILE = 0.001


class Order:
    """One server's; shared by all sessions with it."""

    def __init__(self, mode: Mode) -> None:
        self.adopt(mode)

    def adopt(self, mode: Mode) -> None:
        """Begin anew, with another server or another setting."""
        self._proofs = ENOUGH if mode == "on" else 0
        self._least = 0.0 if mode == "on" else WORTHWHILE
        self.is_broken = mode == "off"

    @property
    def is_proven(self) -> bool:
        """Tell whether commands may run ahead."""
        return not self.is_broken and self._proofs >= ENOUGH

    def is_worth(self, round_trip: float) -> bool:
        """Tell whether running ahead, or proving that we may, saves time worth speaking of."""
        return not self.is_broken and round_trip >= self._least

    def was_kept(self) -> bool:
        """Count one proof; True when it was the one that made them enough."""
        self._proofs += 1
        return self._proofs == ENOUGH and not self.is_broken

    def was_broken(self) -> bool:
        """It answered out of turn: never again; True when that is news."""
        was_broken, self.is_broken = self.is_broken, True
        return not was_broken
