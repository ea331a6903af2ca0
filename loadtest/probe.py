"""A session that only asks NOOP, again and again: how long the proxy's loop lets anybody wait.

    python -m loadtest.probe HOST PORT

Never logs in, so no server stands behind the answers. Prints the times as JSON on SIGTERM.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from contextlib import suppress

EVERY = 0.05
PATIENCE = 30.0


def main() -> None:
    """Probe until SIGTERM."""
    signal.signal(signal.SIGTERM, _leave)
    waits: list[float] = []
    with suppress(SystemExit):
        while True:
            # A proxy may end a session that does not log in; then another one is opened.
            with suppress(OSError):
                _probe(sys.argv[1], int(sys.argv[2]), waits)
            time.sleep(EVERY)
    sys.stdout.write(json.dumps({"waits": waits}) + "\n")


def _probe(host: str, port: int, waits: list[float]) -> None:
    source = ("127.15.0.1", 0) if host.startswith("127.") else None
    with socket.create_connection((host, port), PATIENCE, source_address=source) as line:
        replies = line.makefile("rb")
        replies.readline()
        while True:
            asked = time.monotonic()
            line.sendall(b"NOOP\r\n")
            if not replies.readline():
                return
            waits.append(time.monotonic() - asked)
            time.sleep(EVERY)


def _leave(*_: object) -> None:
    raise SystemExit


if __name__ == "__main__":
    main()
