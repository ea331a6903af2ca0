"""The demo server of `make run`: pyftpdlib with two control sessions per address and a few files.

It stands behind the proxy when no server of one's own is named; it is nobody's production server.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import FTPServer

USER = PASSWORD = "demo"
SESSIONS = 2

_FILES = {
    "README.txt": "This is the demo server of ftpweir.\nIt allows two sessions per address; "
    "through ftpweir, any number of scripts share them.\n",
    "data/small.txt": "A small file.\n",
    "data/numbers.csv": "".join(f"{n},{n * n}\n" for n in range(1000)),
}


@contextlib.contextmanager
def demo_server() -> Iterator[tuple[str, int]]:
    """Serve a temporary folder on a loopback port while the block lasts; yield (host, port)."""
    # Only here, because no other command needs it, and its import warns on Python 3.11.
    from pyftpdlib.servers import FTPServer

    with tempfile.TemporaryDirectory(prefix="ftpweir-demo-") as folder:
        for name, text in _FILES.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        Path(folder, "incoming").mkdir()
        # With a handler of its own pyftpdlib leaves the log to us.
        logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())
        logging.getLogger("pyftpdlib").propagate = False
        server = FTPServer(("127.0.0.1", 0), _handler(folder))
        server.max_cons_per_ip = SESSIONS
        over = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, over), daemon=True)
        thread.start()
        try:
            host, port = server.address[:2]
            yield host, port
        finally:
            over.set()
            thread.join()


def _handler(folder: str) -> type[FTPHandler]:
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler

    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, folder, perm="elradfmwMT")

    class DemoHandler(FTPHandler):  # type: ignore[misc]  # pyftpdlib has no types
        banner = "demo server"
        auth_failed_timeout = 0  # the proxy makes guesses slow; twice only looks like a hang

    DemoHandler.authorizer = authorizer
    return DemoHandler


def _serve(server: FTPServer, over: threading.Event) -> None:
    """Serve until told that it is over: nothing can wake pyftpdlib's poll from another thread."""
    while not over.is_set():
        server.serve_forever(timeout=0.1, blocking=False, handle_exit=False)
    server.close_all()
