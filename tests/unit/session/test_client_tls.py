"""TLS with clients, through the whole proxy in this process: handshakes good and bad."""

from __future__ import annotations

import asyncio
import contextlib
import ftplib
import socket
import ssl
from pathlib import Path

import pytest

from proxy.events import CertificateRefused, Refused, SessionEnded, TlsFailed, TransferEnded
from tests.support.authority import Authority
from tests.support.raw_client import read_all
from tests.support.tls_guests import (
    CONTENT,
    STRICT,
    VERSIONS,
    Implicit,
    exchange,
    home_with,
    logged_in,
)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("tls", "kind"), [("explicit", ftplib.FTP_TLS), ("implicit", Implicit)])
async def test_a_client_in_tls_gets_and_puts_before_a_server_in_clear(
    authority: Authority, version: ssl.TLSVersion, tls: str, kind: type[ftplib.FTP_TLS]
) -> None:
    context = authority.trust()
    context.maximum_version = version
    async with home_with(authority, tls, require="data") as (home, server):
        got, spoken = await asyncio.to_thread(exchange, home.port, context, kind)
        assert got == CONTENT
        assert server.files[b"/new"] == CONTENT
    assert [one.result for one in home.told(TransferEnded)] == ["done", "done"]
    assert home.told(SessionEnded)[0].tls == spoken == version.name.replace("_", ".")


async def test_a_client_in_clear_is_served_where_nothing_is_required(authority: Authority) -> None:
    async with home_with(authority) as (home, _), home.guest() as client:
        assert await client.fetch("RETR /big") == CONTENT


async def test_what_is_required_is_told_before_the_password_is_sent(authority: Authority) -> None:
    async with home_with(authority, require="login") as (home, server), home.client() as client:
        await client.expect(220)
        heard = await client.ask("USER alice")
        assert heard.code == 530
        assert "A login needs TLS here (listen.require), send AUTH TLS first." in heard.text
        assert [refused.reason for refused in home.told(Refused)] == ["tls_login"]
        assert server.total == 0


async def test_commands_in_clear_behind_auth_are_never_obeyed(authority: Authority) -> None:
    async with home_with(authority) as (home, server):
        async with home.guest() as client:
            await client.send(b"AUTH TLS\r\nDELE /big\r\n")
            await client.expect_end()
        assert server.count("DELE") == 0
        assert "in clear behind AUTH" in home.told(TlsFailed)[0].why


async def test_half_a_command_in_clear_behind_auth_is_refused_too(authority: Authority) -> None:
    async with home_with(authority) as (home, _):
        async with home.client() as client:
            await client.expect(220)
            await client.send(b"AUTH TLS\r\nUS")
            await client.expect_end()
        assert "in clear behind AUTH" in home.told(TlsFailed)[0].why


async def test_garbage_instead_of_a_handshake_ends_the_session(authority: Authority) -> None:
    async with home_with(authority) as (home, _):
        async with home.client() as client:
            await client.expect(220)
            assert (await client.ask("AUTH TLS")).code == 234
            await client.send(b"USER alice\r\n")
            with contextlib.suppress(ConnectionResetError):
                await read_all(client.sock)
        await home.until(lambda: home.told(TlsFailed))
        assert "TLS: " in home.told(TlsFailed)[0].why
        assert home.told(SessionEnded)[0].reason == "no TLS"
        async with home.guest() as another:
            assert await another.fetch("RETR /big") == CONTENT


@pytest.mark.parametrize("tls", ["explicit", "off"])
async def test_who_speaks_tls_too_early_is_told_of_in_the_log(
    authority: Authority, tls: str
) -> None:
    """The client cannot read what is said in clear."""
    async with home_with(authority, tls) as (home, _):
        async with home.client() as client:
            await client.send(b"\x16\x03\x01\x02\x00 and so on\n")
            with contextlib.suppress(ConnectionResetError):
                await read_all(client.sock)
        await home.until(lambda: home.told(SessionEnded))
        assert home.told(SessionEnded)[0].reason == "no TLS"
        assert "listen.tls: implicit" in home.told(TlsFailed)[0].why


@pytest.mark.parametrize("tls", ["explicit", "implicit"])
async def test_who_stalls_in_the_handshake_is_let_go_and_disturbs_nobody(
    authority: Authority, tls: str
) -> None:
    async with home_with(authority, tls, timeouts={"connect": 0.1}) as (home, _):
        async with home.client() as client:
            if tls == "explicit":
                await client.expect(220)
                assert (await client.ask("AUTH TLS")).code == 234
            with contextlib.suppress(ConnectionResetError):
                assert await read_all(client.sock) == b""
        await home.until(lambda: home.told(TlsFailed))
        assert "no handshake within" in home.told(TlsFailed)[0].why


async def test_a_client_that_hangs_up_in_the_handshake_leaves_nothing(authority: Authority) -> None:
    async with home_with(authority, "implicit") as (home, _):
        async with home.client():
            pass
        await home.until(lambda: home.told(TlsFailed))


async def test_a_class_that_requires_tls_is_told_so_and_others_log_in_in_clear(
    authority: Authority,
) -> None:
    async with home_with(authority, clients=STRICT) as (home, _), home.client() as client:
        await client.expect(220)
        told = await client.ask("USER alice")
        assert told.code == 530
        assert "A login needs TLS here (clients.require), send AUTH TLS first." in told.text
        assert [refused.reason for refused in home.told(Refused)] == ["tls_login"]
        await client.log_in("bob")
        assert await client.fetch("RETR /big") == CONTENT


async def test_who_logs_in_first_and_then_asks_for_tls_logs_in_again(authority: Authority) -> None:
    def is_late() -> None:
        with ftplib.FTP_TLS(context=authority.trust(), timeout=20) as ftp:
            ftp.connect("127.0.0.1", home.port)
            ftp.login("alice", "secret", secure=False)
            ftp.auth()
            with pytest.raises(ftplib.error_perm, match="530"):
                ftp.pwd()
            ftp.login("alice", "secret", secure=False)
            assert ftp.pwd() == "/"
            ftp.quit()

    async with home_with(authority) as (home, _):
        await asyncio.to_thread(is_late)


async def test_commands_sent_at_once_in_tls_are_answered_in_order(authority: Authority) -> None:
    def sends_all_at_once() -> list[str]:
        with logged_in(home, authority) as ftp:
            assert isinstance(ftp.sock, ssl.SSLSocket)
            ftp.sock.sendall(b"PWD\r\nNOOP\r\nPBSZ 0\r\nPROT P\r\nSYST\r\nQUIT\r\n")
            return [ftp.getresp()[:3] for _ in range(6)]

    async with home_with(authority) as (home, _):
        heard = await asyncio.to_thread(sends_all_at_once)
        assert heard == ["257", "200", "200", "200", "215", "221"]


async def test_a_renewed_certificate_disturbs_no_client_at_work(authority: Authority) -> None:
    """Its file changes again and again while scripts come, fetch and go."""

    def fetches() -> None:
        for _ in range(3):
            exchange(home.port, authority.trust(), ftplib.FTP_TLS)

    async with home_with(authority) as (home, _):
        (offer,) = home.app.tls.offers.values()
        assert offer.certificate is not None
        file = Path(offer.certificate.files.certificate)
        async with asyncio.TaskGroup() as tasks:
            crowd = [tasks.create_task(asyncio.to_thread(fetches)) for _ in range(3)]
            while not all(one.done() for one in crowd):
                fresh = authority.issue().certificate
                fresh.replace(file)
                await asyncio.wait(crowd, timeout=0.05)
        assert not home.told(CertificateRefused)
        assert {one.result for one in home.told(TransferEnded)} == {"done"}


async def test_garbage_behind_the_handshake_ends_the_session_with_a_word_in_the_log(
    authority: Authority,
) -> None:
    """A record longer than any may be, and one that nobody has sealed."""

    def breaks_the_rules(record: bytes) -> None:
        with logged_in(home, authority) as ftp:
            assert ftp.sock is not None
            socket.socket.sendall(ftp.sock, record)
            with pytest.raises((EOFError, OSError)):
                ftp.getresp()

    async with home_with(authority) as (home, _):
        for record in (
            b"\x17\x03\x03\xff\xff" + bytes(70_000),
            b"\x17\x03\x03\x00\x30" + bytes(48),
        ):
            await asyncio.to_thread(breaks_the_rules, record)
        await home.until(lambda: len(home.told(SessionEnded)) == 2)
        assert [one.reason for one in home.told(SessionEnded)] == ["no TLS", "no TLS"]
        assert len(home.told(TlsFailed)) == 2
