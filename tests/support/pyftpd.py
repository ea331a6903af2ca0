"""Run pyftpdlib in a process of its own, as the JSON in the first argument wishes.

It serves until it is terminated, and logs every command to standard error.
"""

from __future__ import annotations

import json
import logging
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

EVERYTHING = "elradfmwMT"


def main(wishes: str) -> None:
    """Serve for ever."""
    wish = json.loads(wishes)
    logging.basicConfig(level=logging.DEBUG)
    authorizer = DummyAuthorizer()
    for name, (password, home) in wish["users"].items():
        authorizer.add_user(name, password, home, perm=EVERYTHING)
    FTPHandler.authorizer = authorizer
    FTPHandler.auth_failed_timeout = 0
    FTPHandler.masquerade_address = wish["pasv_address"]
    if wish["passive_ports"]:
        first, last = wish["passive_ports"]
        FTPHandler.passive_ports = range(first, last + 1)
    server = FTPServer((wish["host"], wish["port"]), FTPHandler)
    server.max_cons_per_ip = wish["max_per_ip"]
    server.max_cons = 0
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
