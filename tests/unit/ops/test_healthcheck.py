"""Asked from outside, as a client meets it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from proxy.ops.healthcheck import Unwell, check_greeting


def asked(greet: Callable[[socket.socket], object], patience: float = 5.0) -> str:
    """Ask somebody who does this to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                greet(client)
                client.settimeout(5)
                while client.recv(100):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            return check_greeting("127.0.0.1", listener.getsockname()[1], patience)
        finally:
            thread.join()


def test_a_greeting_is_returned() -> None:
    assert asked(lambda client: client.sendall(b"220 ready.\r\n")) == "220 ready."


def test_a_greeting_may_come_in_pieces() -> None:
    def in_pieces(client: socket.socket) -> None:
        for part in (b"22", b"0 hi\r\n"):
            client.sendall(part)

    assert asked(in_pieces) == "220 hi"


def test_a_refusal_is_no_good_health() -> None:
    with pytest.raises(Unwell, match="421 Proxy is shutting down"):
        asked(lambda client: client.sendall(b"421 Proxy is shutting down.\r\n"))


def test_silence_is_no_good_health() -> None:
    with pytest.raises(Unwell, match="timed out"):
        asked(lambda client: None, patience=0.05)


def test_who_hangs_up_without_a_word_is_not_well() -> None:
    with pytest.raises(Unwell, match="greets with ''"):
        asked(lambda client: client.shutdown(socket.SHUT_WR))


def test_nobody_is_not_well() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unwell, match="Connection refused"):
        check_greeting("127.0.0.1", port, 1.0)
