"""The users that every real server of the lab knows. They exist nowhere outside it."""

from __future__ import annotations

import functools
import subprocess
from dataclasses import dataclass

from .programs import program


@dataclass(frozen=True, slots=True)
class User:
    """One login; the number owns the user's files and belongs to nobody on this machine."""

    name: str
    password: str
    number: int


ALICE = User("alice", "wonderland-1", 61001)
BOB = User("bob", "builder-2", 61002)
CAROL = User("carol", "christmas-3", 61003)
USERS = (ALICE, BOB, CAROL)


@functools.cache
def password_hash(password: str) -> str:
    """Return the crypt(3) form, which vsftpd, pure-ftpd and proftpd all understand."""
    # Few rounds: a login is no part of any measurement.
    command = [program("openssl"), "passwd", "-5", "-salt", "rounds=1000$lab", password]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
