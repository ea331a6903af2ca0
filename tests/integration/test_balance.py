"""Two ftpweirs behind the rules of config/deploy/balance.nft, as they are, in a namespace."""

from __future__ import annotations

import ftplib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from tests.support.client import Target
from tests.support.clients import Curl, Lftp
from tests.support.namespaces import Lab, Namespace
from tests.support.programs import CHECKOUT, program
from tests.support.proxy import Ftpweir
from tests.support.servers import Vsftpd
from tests.support.users import ALICE

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(120)]

RULES = (CHECKOUT / "config" / "deploy" / "balance.nft").read_text()
FRONT, FIRST, SECOND = "192.0.2.1", "192.0.2.11", "192.0.2.12"  # as in that file
CLIENTS = [f"198.51.100.{number}" for number in range(1, 9)]


@contextmanager
def router() -> Iterator[Lab]:
    """The clients' many addresses on one side; on the other the router and who is behind it."""
    with Lab() as lab:
        for address in (FRONT, FIRST, SECOND):
            _ip(lab.server, f"address add {address}/32 dev lo")
        for address in CLIENTS:
            _ip(lab.client, f"address add {address}/32 dev lo")
        _ip(lab.server, f"route add 198.51.100.0/24 via {lab.client.address}")
        yield lab


def _ip(side: Namespace, words: str) -> None:
    side.run(program("ip"), *words.split())


def come_from(lab: Lab, client: str) -> None:
    """Let what the clients' side sends to the proxies come from this address."""
    _ip(lab.client, f"route replace 192.0.2.0/24 via {lab.server.address} src {client}")


def served(weir: Ftpweir) -> set[str]:
    """Which clients have fetched a file through this one."""
    return {event["source"] for event in weir.events("transfer ended")}


def logged_in() -> ftplib.FTP:
    """Begin a session of a client that believes no address that PASV tells."""
    ftp = ftplib.FTP(timeout=30)
    ftp.connect(FRONT, 21)
    ftp.login(ALICE.name, ALICE.password)
    return ftp


def fetched(ftp: ftplib.FTP) -> bytes:
    pieces: list[bytes] = []
    ftp.retrbinary("RETR which.txt", pieces.append)
    return b"".join(pieces)


def instance(server: Vsftpd, address: str, ports: str) -> Ftpweir:
    """One as the comment in that file wants it."""
    passive = {"address": FRONT, "ports": ports}
    return Ftpweir(server, host=address, port=2121, netns=server.netns, passive=passive)


def test_clients_are_dealt_out_and_one_proxys_part_can_be_dealt_to_the_other() -> None:
    with (
        router() as lab,
        Vsftpd(host=lab.server.address, netns=lab.server.name) as server,
        instance(server, FIRST, "50000-50499") as first,
        instance(server, SECOND, "50500-50999") as second,
    ):
        server.place("which.txt", b"here")
        lab.server.run(program("nft"), "-f", "-", text=RULES)
        lftp, front = Lftp(netns=lab.client.name), Target(FRONT, 21)
        for client in CLIENTS:
            come_from(lab, client)
            assert lftp.get(front, "which.txt") == b"here"
        shares = served(first), served(second)
        assert all(shares)
        assert shares[0].isdisjoint(shares[1])
        assert shares[0] | shares[1] == set(CLIENTS)

        stays = min(shares[0])
        come_from(lab, stays)
        with lab.client.do(logged_in) as ftp:
            anew = RULES.replace(f"map {{ 0 : {FIRST}", f"map {{ 0 : {SECOND}")
            assert anew != RULES
            lab.server.run(program("nft"), "-f", "-", text=anew)
            assert lab.client.do(partial(fetched, ftp)) == b"here"
            assert stays not in served(second)
            assert Curl(netns=lab.client.name).get(front, "which.txt") == b"here"
            assert stays in served(second)
