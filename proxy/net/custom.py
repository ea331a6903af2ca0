"""What a peer need not do, and yet can be relied on to do: learned from it. Pure.

Two such customs matter in TLS. Who ends its data connections with close_notify: without it nobody
can tell a whole file from one that somebody on the way has cut, yet several old clients and servers
never send it (docs/CLIENTS.md, TLS). And who resumes our session: one that has always done so, and
does not now, has forgotten it, and may refuse the data connection for that.
"""

from __future__ import annotations


class Custom:
    """One custom of one peer: known once it was kept."""

    def __init__(self) -> None:
        self.is_known = False

    def accept(self, was_kept: bool | None) -> bool:
        """Note whether it was kept (None: there was no occasion); False: against its custom."""
        if was_kept:
            self.is_known = True
        return was_kept is not False or not self.is_known

    def forget(self) -> None:
        """It was broken, and for good reason: learn it anew."""
        self.is_known = False
