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
    handler = FTPHandler
    if wish["certificate"]:
        from pyftpdlib.handlers import TLS_FTPHandler

        handler = TLS_FTPHandler
        handler.certfile, handler.keyfile = wish["certificate"], wish["key"]
        handler.tls_control_required = handler.tls_data_required = True
    handler.authorizer = authorizer
    handler.auth_failed_timeout = 0
    handler.masquerade_address = wish["pasv_address"]
    if wish["passive_ports"]:
        first, last = wish["passive_ports"]
        handler.passive_ports = range(first, last + 1)
    server = FTPServer((wish["host"], wish["port"]), handler)
    server.max_cons_per_ip = wish["max_per_ip"]
    server.max_cons = 0
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
