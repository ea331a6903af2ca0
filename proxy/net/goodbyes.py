"""Whether a peer ends its TLS data connections with close_notify: learned from it. Pure.

Without it nobody can tell a whole file from one that somebody on the way has cut. Yet several old
clients and servers never send it (clients.md section 7), so only who has sent it once must always.
"""

from __future__ import annotations


class Goodbyes:
    """One peer's habit."""

    def __init__(self) -> None:
        self.are_known = False

    def accept(self, goodbye: bool | None) -> bool:
        """Note how a source has ended (None: not in TLS); False: it was cut, as far as we know."""
        if goodbye:
            self.are_known = True
        return goodbye is not False or not self.are_known
