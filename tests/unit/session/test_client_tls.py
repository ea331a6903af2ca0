"""TLS with clients, through the whole proxy in this process: handshakes good and bad."""

from __future__ import annotations

import asyncio
import contextlib
import ftplib
import io
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.events import CertificateRefused, Refused, SessionEnded, TlsFailed, TransferEnded
from tests.support.authority import Authority
from tests.support.house import House, house
from tests.support.raw_client import read_all
from tests.support.scripted import Scripted, scripted

CONTENT = bytes(range(256)) * 4096
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@contextlib.asynccontextmanager
async def home_with(
    authority: Authority,
    tls: str = "explicit",
    *,
    timeouts: dict[str, float] | None = None,
    clients: list[dict[str, Any]] | None = None,
    **more: Any,
) -> AsyncIterator[tuple[House, Scripted]]:
    """Run the proxy with one TLS listener before a scripted server in clear."""
    certificate = str(authority.issue().certificate)
    listen = [{"address": "127.0.0.1:0", "tls": tls, "certificate": certificate, **more}]
    async with (
        scripted({b"/big": CONTENT}) as server,
        house(
            server,
            listen=listen,
            timeouts=timeouts or {},
            clients=clients or [{"name": "everyone"}],
            refusals={"delay": 0.0},
        ) as home,
    ):
        yield home, server


class Implicit(ftplib.FTP_TLS):
    """ftplib knows no implicit TLS: wrapped before the greeting."""

    def connect(self, host: str = "", port: int = 0, *args: Any, **options: Any) -> str:
        self.host, self.port = host, port
        sock = socket.create_connection((host, port), timeout=20)
        self.af = sock.family
        self.sock = self.context.wrap_socket(sock, server_hostname=host)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        self._prot_p = True
        return self.welcome


def exchange(port: int, context: ssl.SSLContext, kind: type[ftplib.FTP_TLS]) -> tuple[bytes, str]:
    """Log in, fetch and store; return what was fetched and the version spoken."""
    got = io.BytesIO()
    with kind(context=context, timeout=20) as ftp:
        ftp.connect("127.0.0.1", port)
        ftp.login("alice", "secret")
        if kind is ftplib.FTP_TLS:
            ftp.prot_p()
        ftp.retrbinary("RETR /big", got.write)
        ftp.storbinary("STOR /new", io.BytesIO(CONTENT))
        assert isinstance(ftp.sock, ssl.SSLSocket)
        version = ftp.sock.version() or ""
        ftp.quit()
    return got.getvalue(), version


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
        assert "AUTH TLS" in heard.text
        assert heard.code == 530
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


async def test_one_that_says_nothing_before_its_data_connection_agreed_is_served(
    authority: Authority,
) -> None:
    """aioftp shakes hands behind PASV, and only then says what for."""

    def shakes_hands_first() -> bytes:
        context = authority.trust()
        with ftplib.FTP_TLS(context=context, timeout=20) as ftp:
            ftp.connect("127.0.0.1", home.port)
            ftp.login("alice", "secret")
            ftp.prot_p()
            host, port = ftp.makepasv()
            with (
                socket.create_connection((host, port), timeout=20) as sock,
                context.wrap_socket(sock, server_hostname=host) as data,
            ):
                assert ftp.sendcmd("RETR /big").startswith("150")
                got = b""
                while piece := data.recv(1 << 16):
                    got += piece
            assert ftp.voidresp().startswith("226")
            ftp.quit()
        return got

    async with home_with(authority) as (home, _):
        assert await asyncio.to_thread(shakes_hands_first) == CONTENT


async def test_an_upload_that_is_cut_is_no_226_once_the_client_is_known_to_say_goodbye(
    authority: Authority,
) -> None:
    def cuts_the_second() -> str:
        context = authority.trust()
        with ftplib.FTP_TLS(context=context, timeout=20) as ftp:
            ftp.connect("127.0.0.1", home.port)
            ftp.login("alice", "secret")
            ftp.prot_p()
            ftp.storbinary("STOR /whole", io.BytesIO(CONTENT))
            data = ftp.transfercmd("STOR /cut")
            data.sendall(CONTENT[:100_000])
            data.close()  # FIN, and no close_notify
            with pytest.raises(ftplib.error_temp) as caught:
                ftp.voidresp()
            ftp.quit()
        return str(caught.value)

    async with home_with(authority) as (home, server):
        assert "426" in await asyncio.to_thread(cuts_the_second)
        assert server.files[b"/whole"] == CONTENT
    assert [one.result for one in home.told(TransferEnded)] == ["done", "client closed data"]


async def test_a_data_connection_in_clear_where_prot_p_holds_is_refused(
    authority: Authority,
) -> None:
    def forgets_tls() -> str:
        with ftplib.FTP_TLS(context=authority.trust(), timeout=20) as ftp:
            ftp.connect("127.0.0.1", home.port)
            ftp.login("alice", "secret")
            ftp.prot_p()
            data, _ = ftplib.FTP.ntransfercmd(ftp, "STOR /clear")
            with data:
                data.sendall(CONTENT[:1000])
                with pytest.raises(ftplib.error_temp) as caught:
                    ftp.voidresp()
            ftp.quit()
        return str(caught.value)

    async with home_with(authority) as (home, server):
        heard = await asyncio.to_thread(forgets_tls)
        assert heard.startswith("426 Your data connection failed")
        assert b"/clear" not in server.files


STRICT: list[dict[str, Any]] = [
    {"name": "strict", "user": ["alice"], "require": "data"},
    {"name": "everyone"},
]


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


async def test_a_class_that_requires_tls_for_data_moves_none_in_clear(
    authority: Authority,
) -> None:
    def forgets_prot() -> tuple[str, bytes]:
        got = io.BytesIO()
        with ftplib.FTP_TLS(context=authority.trust(), timeout=20) as ftp:
            ftp.connect("127.0.0.1", home.port)
            ftp.login("alice", "secret")
            with pytest.raises(ftplib.error_perm) as caught:
                ftp.retrbinary("RETR /big", got.write)
            ftp.prot_p()
            ftp.retrbinary("RETR /big", got.write)
            ftp.quit()
        return str(caught.value), got.getvalue()

    async with home_with(authority, clients=STRICT) as (home, _):
        refused, got = await asyncio.to_thread(forgets_prot)
    assert refused.startswith("522 Data needs TLS here (clients.require), send PROT P first.")
    assert got == CONTENT


@contextlib.contextmanager
def logged_in(home: House, authority: Authority) -> Iterator[ftplib.FTP_TLS]:
    """Lend a client in TLS, for a thread."""
    with ftplib.FTP_TLS(context=authority.trust(), timeout=20) as ftp:
        ftp.connect("127.0.0.1", home.port)
        ftp.login("alice", "secret")
        yield ftp


async def test_prot_may_change_between_transfers_and_rein_forgets_it(authority: Authority) -> None:
    def changes_its_mind() -> list[int]:
        sizes = []
        with logged_in(home, authority) as ftp:
            for change in (ftp.prot_p, ftp.prot_c, ftp.prot_p):
                change()
                got = io.BytesIO()
                ftp.retrbinary("RETR /big", got.write)
                sizes.append(len(got.getvalue()))
            with pytest.raises(ftplib.error_perm, match="503 TLS is on already"):
                ftp.sendcmd("AUTH TLS")
            assert ftp.sendcmd("REIN").startswith("220")
            with pytest.raises(ftplib.error_perm, match="503 Send PBSZ 0 first"):
                ftp.sendcmd("PROT P")
            ftp.login("alice", "secret", secure=False)
            ftp.prot_p()
            with pytest.raises(ftplib.error_perm, match="533"):
                ftp.sendcmd("CCC")
            ftp.quit()
        return sizes

    async with home_with(authority) as (home, _):
        assert await asyncio.to_thread(changes_its_mind) == [len(CONTENT)] * 3


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_data_connection_may_resume_the_control_connections_session(
    authority: Authority, version: ssl.TLSVersion
) -> None:
    def resumes() -> list[bool]:
        context, resumed = authority.trust(), []
        context.maximum_version = version
        with ftplib.FTP_TLS(context=context, timeout=20) as ftp:
            ftp.connect("127.0.0.1", home.port)
            ftp.login("alice", "secret")
            ftp.prot_p()
            assert isinstance(ftp.sock, ssl.SSLSocket)
            for _ in range(2):
                raw, _ = ftplib.FTP.ntransfercmd(ftp, "RETR /big")
                session = ftp.sock.session
                with context.wrap_socket(raw, server_hostname=ftp.host, session=session) as data:
                    while data.recv(1 << 16):
                        pass
                    resumed.append(bool(data.session_reused))
                ftp.voidresp()
            ftp.quit()
        return resumed

    async with home_with(authority) as (home, _):
        assert await asyncio.to_thread(resumes) == [True, True]


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


async def test_abor_in_tls_stops_a_download_and_the_session_goes_on(authority: Authority) -> None:
    def aborts() -> tuple[list[str], int]:
        with logged_in(home, authority) as ftp:
            ftp.prot_p()
            ftp.voidcmd("TYPE I")
            data = ftp.transfercmd("RETR /endless")
            assert data.recv(1000)
            ftp.putcmd("ABOR")
            heard = [ftp.getmultiline()[:3] for _ in range(2)]
            with contextlib.suppress(OSError):
                while data.recv(1 << 16):
                    pass
            data.close()
            got = io.BytesIO()
            ftp.retrbinary("RETR /big", got.write)
            ftp.quit()
        return heard, len(got.getvalue())

    async with home_with(authority) as (home, server):
        server.files[b"/endless"] = bytes(64 << 20)
        heard, size = await asyncio.to_thread(aborts)
        assert heard == ["426", "226"]
        assert size == len(CONTENT)


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
