"""Whether to know a file before it is fetched: what breaks is resumed only if it has not changed.

Asking SIZE and MDTM costs two commands a file (measured: an eighth of the proxy's CPU on files of
1 KB, nothing that shows on large ones). So it is left out where it pays least: on a server that
sends small files and has not broken any for a while. Pure; counts transfers, not time.
"""

from __future__ import annotations

UNBROKEN = 200  # transfers in a row after which a server is trusted
SMALL = 1 << 16  # bytes: what usually arrives in one piece or not at all
_CAP = 16 * SMALL  # one huge file says no more than this about the next


class Vigilance:
    """What one server's transfers have taught; begins wary."""

    def __init__(self) -> None:
        self._unbroken = 0
        self._typical = float(SMALL)

    @property
    def is_wary(self) -> bool:
        """Tell whether a file's size and date should be asked before it is fetched."""
        return self._unbroken < UNBROKEN or self._typical >= SMALL

    def went_well(self, moved: int) -> None:
        """Note a whole transfer of so many bytes."""
        self._unbroken += 1
        self._typical += 0.02 * (min(moved, _CAP) - self._typical)

    def was_broken(self) -> None:
        """Note that one broke on the server's side."""
        self._unbroken = 0
