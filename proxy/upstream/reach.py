"""Who opens the data connections: we (passive), the server (active), or whichever is quicker. Pure.

`auto` lets the server connect for downloads and listings, once it was seen to take commands ahead
and a round trip is worth saving; the first failure refutes that for good.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from .order import Order

Mode: TypeAlias = Literal["passive", "active", "auto"]
TRIAL = 3.0  # seconds the server has to reach us before we fall back


class Reach:
    """One server's; shared by all transfers."""

    def __init__(self, mode: Mode, order: Order) -> None:
        self.order = order
        self.may_fall_back = mode == "auto"
        self._is_active = mode != "passive"

    def prefers_active(self, round_trip: float, *, down: bool) -> bool:
        """Tell whether the server shall connect to us for a transfer."""
        if not self.may_fall_back:
            return self._is_active
        # A port rests long after an upload, and an upload gains nothing.
        return self._is_active and down and self.saves_time(round_trip)

    def saves_time(self, round_trip: float) -> bool:
        """Tell whether PORT and the command may go together, and are worth it."""
        return self.order.is_proven and self.order.is_worth(round_trip)

    def failed(self) -> None:
        """The server did not reach us."""
        if self.may_fall_back:
            self._is_active = False
