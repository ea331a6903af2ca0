"""Listings that spend no data connection: over STAT, and shared by those who ask the same."""

from __future__ import annotations

import ftplib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from loadtest.lab.flows import FlowCounter
from loadtest.lab.namespaces import lab
from tests.support.backend import Backend
from tests.support.namespaces import inside
from tests.support.proxy import Ftpweir
from tests.support.servers import ProFtpd, PureFtpd, PyFtpd, Vsftpd
from tests.support.users import ALICE

pytestmark = [pytest.mark.integration]

COMMANDS = ("LIST", "LIST -a", "LIST sub", "LIST many", "LIST .hid", "LIST empty", "LIST nope")


def listings(host: str, port: int, rounds: int = 1) -> list[list[str]]:
    """List the same places again and again with one login."""
    heard = []
    with ftplib.FTP(timeout=20) as ftp:
        ftp.connect(host, port)
        ftp.login(ALICE.name, ALICE.password)
        for command in COMMANDS * rounds:
            lines: list[str] = []
            try:
                ftp.retrlines(command, lines.append)
            except ftplib.error_perm as refused:
                lines.append(str(refused)[:3])
            except ftplib.error_temp as refused:
                lines.append(str(refused)[:3])
            heard.append(lines)
        ftp.quit()
    return heard


def furnish(server: Backend) -> None:
    """Give it directories of each kind."""
    for name in ("a.bin", ".hid", "sub/b c.txt", "sub/.hidden/x", "empty/.keep"):
        server.place(name, b"x")
    for number in range(300):
        server.place(f"many/file-{number}", b"y" * number)


@pytest.mark.parametrize("kind", [Vsftpd, PureFtpd, ProFtpd, PyFtpd])
def test_a_listing_over_stat_is_the_same_as_over_data(kind: Callable[[], Backend]) -> None:
    with kind() as server, Ftpweir(server, upstream={"list_by_stat": "on"}) as weir:
        furnish(server)
        assert listings(weir.host, weir.port, 3) == listings(server.host, server.port, 3)
        ways = [event["way"] for event in weir.events("transfer ended")]
    # The first round teaches; afterwards only what would be ambiguous takes a data connection.
    assert "control connection" not in ways[:1]
    assert ways[len(COMMANDS) :].count("control connection") >= len(COMMANDS)


@pytest.mark.root
def test_listings_over_stat_open_no_connection_at_the_firewall() -> None:
    with (
        lab() as one,
        Vsftpd(host=one.server.address, netns=one.server.name) as server,
        Ftpweir(server, netns=one.client.name, upstream={"list_by_stat": "on"}) as weir,
    ):
        furnish(server)
        with FlowCounter(one.server, limit=1000) as firewall:
            inside(one.client.name, lambda: listings(weir.host, weir.port, 10))
        opened = len(firewall.opened(one.client.address))
    # What STAT cannot tell for certain (a hidden name, nothing) takes a connection every time; a
    # control connection and a few lessons come on top.
    uncertain = 10 * 2
    assert opened <= uncertain + 6, opened


def test_scripts_that_list_the_same_at_once_share_one_listing() -> None:
    with Vsftpd() as server, Ftpweir(server, upstream={"share_listings": "on"}) as weir:
        furnish(server)
        expected = listings(server.host, server.port)
        with ThreadPoolExecutor(20) as scripts:
            heard = list(scripts.map(lambda _: listings(weir.host, weir.port), range(20)))
        ways = [event["way"] for event in weir.events("transfer ended")]
    assert all(lines == expected for lines in heard)
    assert len(ways) == 20 * len(COMMANDS)
    assert ways.count("another's") > 0
