"""Run a program with its own /etc/passwd, PAM rules and /dev/log; the machine's stay untouched.

Everything is bind-mounted in the mount namespace that each server has of its own (backend.py).
"""

from __future__ import annotations

import socket
import threading
from pathlib import Path

from .users import USERS, password_hash

# A device folder of our own, because /dev/log does not exist everywhere and must not be created.
STAND_UP = """
set -e
cd "$1"; shift
for file in passwd shadow group pam.d; do mount --bind "etc/$file" "/etc/$file"; done
for device in null zero full random urandom; do mount --bind "/dev/$device" "dev/$device"; done
mount --rbind dev /dev
cd /
exec "$@"
"""
DEVICES = ("null", "zero", "full", "random", "urandom")
PAM_RULES = (
    "auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n"
)


def isolated(folder: Path, homes: Path, command: list[str]) -> list[str]:
    """Return what runs `command` where only the lab's users exist, at home in `homes`."""
    etc = folder / "etc"
    (etc / "pam.d").mkdir(parents=True)
    (etc / "pam.d" / "vsftpd").write_text(PAM_RULES)
    (etc / "pam.d" / "other").write_text(
        "auth required pam_deny.so\naccount required pam_deny.so\n"
    )
    passwd = ["root:x:0:0::/:/bin/sh", "nobody:x:65534:65534::/nonexistent:/bin/sh"]
    group = ["root:x:0:", "nogroup:x:65534:"]
    shadow = ["root:*:1::::::", "nobody:*:1::::::"]
    for user in USERS:
        passwd.append(f"{user.name}:x:{user.number}:{user.number}::{homes / user.name}:/bin/sh")
        group.append(f"{user.name}:x:{user.number}:")
        shadow.append(f"{user.name}:{password_hash(user.password)}:20000::::::")
    for name, lines in (("passwd", passwd), ("group", group), ("shadow", shadow)):
        (etc / name).write_text("\n".join(lines) + "\n")
    (etc / "shadow").chmod(0o600)
    for device in DEVICES:
        (folder / "dev").mkdir(exist_ok=True)
        (folder / "dev" / device).touch()
    return ["sh", "-c", STAND_UP, "sh", str(folder), *command]


class SystemLog:
    """The /dev/log of an isolated program: what it tells syslog is appended to a file."""

    def __init__(self, folder: Path, log: Path) -> None:
        (folder / "dev").mkdir(exist_ok=True)
        self._place = folder / "dev" / "log"
        self._log = log
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._place))
        self._place.chmod(0o666)
        self._thread = threading.Thread(target=self._collect, name="syslog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write down what has arrived, and end."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as goodbye:
            goodbye.sendto(b"", str(self._place))
        self._thread.join()
        self._socket.close()

    def _collect(self) -> None:
        with self._log.open("ab", buffering=0) as log:
            while message := self._socket.recv(8192):
                log.write(message.rstrip(b"\n\0") + b"\n")
