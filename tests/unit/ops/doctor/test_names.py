"""Looking up a name."""

from __future__ import annotations

import socket

import pytest

from proxy.ops.doctor.names import look_up

PATIENCE = 20.0


def test_an_address_is_its_own_name() -> None:
    found = look_up("127.0.0.1", 21, PATIENCE)
    assert (found.addresses, found.error) == (("127.0.0.1",), "")
    assert found.seconds < PATIENCE


@pytest.mark.parametrize(
    ("number", "is_temporary"),
    [(socket.EAI_NONAME, False), (socket.EAI_AGAIN, True), (socket.EAI_FAIL, True)],
)
def test_no_such_name_is_told_from_no_name_server(
    number: int, is_temporary: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a resolver says depends on the machine's network, which a test must not.
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "as the resolver says")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    found = look_up("ftp.nowhere.invalid", 21, PATIENCE)
    assert found.addresses == ()
    assert (found.error, found.is_temporary) == ("as the resolver says", is_temporary)
