"""Scripts that name the servers themselves: a firewall on the way turns them to ftpweir."""

from __future__ import annotations

import ftplib
import io
from collections.abc import Iterator
from functools import partial

import pytest

from tests.support.namespaces import Lab
from tests.support.programs import CHECKOUT, program
from tests.support.proxy import Ftpweir
from tests.support.servers import Vsftpd
from tests.support.users import ALICE

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(120)]

RULES = CHECKOUT / "config" / "deploy" / "transparent.nft"
FIRST, SECOND = "198.51.100.7", "198.51.100.8"  # as in that file


@pytest.fixture
def gateway() -> Iterator[Lab]:
    """Let the way from the client to the servers' addresses lead through the other side."""
    with Lab() as lab:
        route = f"ip route add 198.51.100.0/24 via {lab.server.address}"
        lab.client.run(program("ip"), *route.split()[1:])
        yield lab


def rules(weir: Ftpweir) -> str:
    """Return the rules with the ports of this proxy."""
    text = RULES.read_text()
    ports = {"2121": str(weir.port), "50000-50999": weir.config()["passive"]["ports"]}
    for example, real in ports.items():
        assert f"= {example} " in text
        text = text.replace(f"= {example} ", f"= {real} ")
    return text


def fetched(host: str, *, epsv: bool = False) -> tuple[bytes, str]:
    """Fetch the file as from the server itself; return it, and what the server said to PASV."""
    content = io.BytesIO()
    with ftplib.FTP(timeout=30) as ftp:
        ftp.connect(host, 21)
        ftp.login(ALICE.name, ALICE.password)
        if epsv:
            ftp.af = 10  # which makes ftplib send EPSV, and connect to the address it knows
        ftp.retrbinary("RETR which.txt", content.write)
        ftp.af = 2
        return content.getvalue(), ftp.sendcmd("PASV")


def test_a_script_names_each_server_as_ever_and_gets_its_own(gateway: Lab) -> None:
    side = gateway.server
    with (
        Vsftpd(host=side.address, netns=side.name) as first,
        Vsftpd(host=side.address, netns=side.name) as second,
    ):
        first.place("which.txt", b"first")
        second.place("which.txt", b"second")
        other = {"host": second.host, "port": second.port}
        servers = [{"name": "second", "match": {"redirected": SECOND}, "upstream": other}]
        with Ftpweir(
            first,
            host=side.address,
            netns=side.name,
            listen={"transparent": "on"},
            servers=servers,
        ) as weir:
            side.run(program("nft"), "-f", "-", text=rules(weir))
            for host, content in ((FIRST, b"first"), (SECOND, b"second")):
                for epsv in (False, True):
                    received, told = gateway.client.do(partial(fetched, host, epsv=epsv))
                    assert received == content
                    assert f"({host.replace('.', ',')}," in told
