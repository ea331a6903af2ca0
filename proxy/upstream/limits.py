"""What the configuration says about the sessions with the server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Seconds, and the number of control connections the server allows us."""

    sessions: int | None  # None: learned
    lifetime: float
    idle: float
    login_memory: float
    outage: float  # a server that refuses connections for less may just be restarting
    patience: float = 0.0  # within which each of several instances has had its turn
    resets: bool = False  # end by RST after the server's 221 and FIN
