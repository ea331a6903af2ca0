"""Which logins the server took lately: what lets a password be answered from memory. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .identity import LoginKey


@dataclass(frozen=True, slots=True)
class Proof:
    """The server took this login then (seconds), and put it in this directory."""

    at: float
    home: bytes | None


class Proofs:
    """Remembers each login for `memory` seconds after the server took it."""

    def __init__(self, memory: float) -> None:
        self.memory = memory
        self._proofs: dict[LoginKey, Proof] = {}
        self.added = 0

    def add(self, key: LoginKey, home: bytes | None, now: float) -> None:
        """The server has just taken this login."""
        self._proofs[key] = Proof(now, home)
        self.added += 1

    def of(self, key: LoginKey, now: float) -> Proof | None:
        """Return the proof, if it is recent enough to vouch."""
        proof = self._proofs.get(key)
        if proof is None or now - proof.at > self.memory:
            return None
        return proof

    def clear(self) -> None:
        """Forget them all."""
        self._proofs.clear()

    def forget(self, key: LoginKey) -> None:
        """It vouches for nobody any more."""
        self._proofs.pop(key, None)
