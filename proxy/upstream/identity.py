"""Whose login it is: credentials while a login needs them, and the key that the pool compares."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field

_SALT = os.urandom(16)  # of this process: the digest is worth nothing outside it


@dataclass(frozen=True, slots=True)
class LoginKey:
    """Equal for the very same user, password and account; the password cannot be read from it."""

    user: bytes = field(compare=False)  # the digest is of the user too
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a login sends. Never printed: its repr shows the user only."""

    user: bytes
    password: bytes = field(repr=False)
    account: bytes | None = field(default=None, repr=False)

    def key(self) -> LoginKey:
        """Return the key under which sessions of this login are pooled."""
        digest = hashlib.blake2b(key=_SALT, digest_size=32)
        # Lengths first: no two different triples may give the same bytes.
        for part in (self.user, self.password, self.account):
            text = b"" if part is None else part
            digest.update(b"%d %d:" % (part is None, len(text)) + text)
        return LoginKey(self.user, digest.digest())
