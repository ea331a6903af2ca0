"""TLS with clients on data connections: what PROT covers, and what is refused without."""

from __future__ import annotations

import asyncio
import contextlib
import ftplib
import io
import socket
import ssl
from pathlib import Path

import pytest

from proxy.events import TransferEnded
from tests.support.authority import Authority
from tests.support.tls_guests import CONTENT, STRICT, VERSIONS, home_with, logged_in


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_one_that_says_nothing_before_its_data_connection_agreed_is_served(
    authority: Authority,
) -> None:
    """aioftp shakes hands behind PASV, and only then says what for."""

    def shakes_hands_first() -> bytes:
        with logged_in(home, authority) as ftp:
            ftp.prot_p()
            host, port = ftp.makepasv()
            with (
                socket.create_connection((host, port), timeout=20) as sock,
                ftp.context.wrap_socket(sock, server_hostname=host) as data,
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
        with logged_in(home, authority) as ftp:
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
        with logged_in(home, authority) as ftp:
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


async def test_a_class_that_requires_tls_for_data_moves_none_in_clear(
    authority: Authority,
) -> None:
    def forgets_prot() -> tuple[str, bytes]:
        got = io.BytesIO()
        with logged_in(home, authority) as ftp:
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
