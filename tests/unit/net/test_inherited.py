"""Sockets handed over by whoever started the process: in a process of its own, since descriptor 3
of this one is somebody else's."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from proxy.net.inherited import inherited
from tests.support.programs import CHECKOUT

REPORT = """
import os
from proxy.net.inherited import NotListening, inherited
try:
    for sock in inherited(os.environ, os.getpid()):
        print(sock.getsockname()[1], sock.get_inheritable())
except NotListening as problem:
    print(problem)
"""
# The number of the process is only known once it runs, and exec keeps it.
SCRIPT = 'exec 3<&"$1"; LISTEN_PID=$$ LISTEN_FDS=${2} exec "$3" -c "$4"'


def told(number: int, count: int = 1) -> str:
    """Hand this descriptor over as number 3; return what the process says of it."""
    command = ["bash", "-c", SCRIPT, "_", str(number), str(count), sys.executable, REPORT]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        command, pass_fds=[number], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", "AF_INET"), ("::1", "AF_INET6")])
def test_a_listening_socket_is_taken_over_and_handed_to_nobody_else(host: str, family: str) -> None:
    with socket.create_server((host, 0), family=socket.AddressFamily[family]) as sock:
        assert told(sock.fileno()) == f"{sock.getsockname()[1]} False"


def test_a_socket_that_does_not_listen_is_refused() -> None:
    with socket.socket() as sock:
        assert told(sock.fileno()) == "descriptor 3 is no listening TCP socket"


def test_a_local_socket_is_refused() -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(f"\0ftpweir-test-{os.getpid()}")
        sock.listen()
        assert told(sock.fileno()) == "descriptor 3 is no listening TCP socket"


def test_what_is_no_socket_is_refused() -> None:
    with open(os.devnull) as file:
        assert told(file.fileno()) == "descriptor 3 is no socket: Socket operation on non-socket"


@pytest.mark.parametrize(
    "environ",
    [{}, {"LISTEN_PID": "1", "LISTEN_FDS": "1"}, {"LISTEN_PID": "7", "LISTEN_FDS": "many"}],
    ids=["none", "another process's", "no number"],
)
def test_what_is_not_meant_for_this_process_is_left_alone(environ: dict[str, str]) -> None:
    assert inherited(environ, 7) == []
