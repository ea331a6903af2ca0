"""TLS with the server, through the whole proxy in this process: agreed on, refused, broken off."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from pathlib import Path

import pytest

from proxy.events import CertificateExpires, TransferEnded, UpstreamOpened, UpstreamRefused
from tests.support.authority import Authority
from tests.support.house import House
from tests.support.misdeeds import hangs_up, keeps_silent, says
from tests.support.raw_client import patiently
from tests.support.scripted import Visit
from tests.support.tls_house import CONTENT, cuts, home_before, retrieves

DAY = datetime.timedelta(days=1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def refusal(home: House) -> str:
    """Log in in vain; return what the client hears."""
    async with home.client() as client:
        await client.expect(220)
        await client.say("USER alice", "PASS secret")
        return (await client.expect(331, 421))[1].text


@pytest.mark.parametrize("tls", ["explicit", "implicit"])
async def test_a_script_in_clear_reaches_a_server_in_tls(authority: Authority, tls: str) -> None:
    async with home_before(authority, tls=tls) as (home, server), home.guest() as client:
        assert await client.fetch("RETR /file") == CONTENT
        assert (server.count("AUTH") == 1) is (tls == "explicit")
        assert server.verbs.index("PASS") < server.verbs.index("PROT")


async def test_a_server_without_tls_gets_no_password(authority: Authority) -> None:
    async with home_before(authority) as (home, server):
        server.always["AUTH"] = says("502 AUTH not understood.")
        heard = await refusal(home)
        assert heard.startswith("421 No TLS with the server (upstream.tls): AUTH TLS: ")
        assert "PASS" not in server.verbs


@pytest.mark.parametrize(
    ("names", "expires_in", "words"),
    [
        (("ftp.example.com",), None, "its certificate is not for 127.0.0.1"),
        (("127.0.0.1",), -DAY, "its certificate has expired"),
    ],
)
async def test_a_certificate_that_is_not_in_order_gets_no_password(
    authority: Authority, names: tuple[str, ...], expires_in: datetime.timedelta, words: str
) -> None:
    async with home_before(authority, *names, expires_in=expires_in) as (home, server):
        told = f"421 No TLS with the server (upstream.tls): {words}, ask the operator. Ref "
        assert (await refusal(home)).startswith(told)
        assert words in home.told(UpstreamRefused)[0].words
        assert home.told(UpstreamRefused)[0].reason == "upstream_tls"
        assert "PASS" not in server.verbs


async def test_a_certificate_of_an_unknown_authority_gets_no_password(
    authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path)
    async with home_before(authority, ca=str(stranger.ca)) as (home, server):
        await refusal(home)
        assert "unknown issuer" in home.told(UpstreamRefused)[0].words
        assert "PASS" not in server.verbs


async def test_with_verify_off_any_certificate_will_do(authority: Authority) -> None:
    names = ("ftp.example.com",)
    async with home_before(authority, *names, expires_in=-DAY, verify="off") as (home, _):
        async with home.guest() as client:
            assert await client.fetch("RETR /file") == CONTENT
        assert home.told(CertificateExpires)[0].days < 0


async def test_the_name_may_be_another_than_the_hosts(authority: Authority) -> None:
    name = "ftp.example.com"
    async with (
        home_before(authority, name, server_name=name) as (home, _),
        home.guest() as client,
    ):
        assert await client.fetch("RETR /file") == CONTENT


async def test_a_certificate_that_expires_soon_is_told_once_a_day(authority: Authority) -> None:
    async with home_before(authority, expires_in=12 * DAY + DAY / 2, sessions=2) as (home, _):
        async with home.guest("alice"), home.guest("bob"):
            pass
        (event,) = home.told(CertificateExpires)
        assert event.days == 12
        tls = home.app.tls.servers[""][0]
        assert tls is not None
        assert tls.shown is not None
        assert {one.certificate_until for one in home.told(UpstreamOpened)} == {
            tls.shown.expires_at
        }


async def test_garbage_and_silence_in_the_handshake_are_explained(authority: Authority) -> None:
    async with home_before(authority, timeouts={"connect": 0.2}) as (home, server):
        server.always["AUTH"] = says("234 Go on.\r\nbut not so")
        assert "No TLS with the server" in await refusal(home)
    async with home_before(authority, timeouts={"connect": 0.2}) as (home, server):

        async def stalls(visit: Visit, argument: bytes) -> None:
            await visit.say("234 Go on.")
            await keeps_silent(visit, argument)

        server.always["AUTH"] = stalls
        assert "no handshake within 0.2 s" in await refusal(home)


async def test_a_server_that_hangs_up_over_auth_is_explained(authority: Authority) -> None:
    async with home_before(authority) as (home, server):
        server.always["AUTH"] = hangs_up
        assert "AUTH TLS: the server hung up" in await refusal(home)


async def test_a_server_that_will_not_protect_data_is_explained(authority: Authority) -> None:
    async with home_before(authority) as (home, server):
        server.always["PROT"] = says("536 Only PROT C.")
        assert "PROT P: Only PROT C" in await refusal(home)


async def test_a_download_that_is_cut_is_no_226_once_the_server_is_known_to_say_goodbye(
    authority: Authority,
) -> None:
    async with home_before(authority) as (home, server), home.guest() as client:
        server.plan("RETR", cuts, retrieves, cuts)
        # So far nobody can tell an old server from an attack on the way.
        assert await client.fetch("RETR /file") == CONTENT[: len(CONTENT) // 2]
        assert await client.fetch("RETR /file") == CONTENT
        with await client.passive():
            await client.say("RETR /file")
            await client.expect(150, 426)
    results = [event.result for event in home.told(TransferEnded)]
    assert results == ["done", "done", "upstream_data_lost"]


async def test_garbage_on_a_data_connection_is_explained_and_its_session_not_used_again(
    authority: Authority,
) -> None:
    async def talks_nonsense(visit: Visit, _: bytes) -> None:
        await visit.say("150 Here it comes.")
        with await visit.data() as data:
            data.send(b"not TLS at all")
            async with patiently():
                with contextlib.suppress(ConnectionResetError):
                    while await asyncio.get_running_loop().sock_recv(data, 1000):
                        pass
        await visit.say("226 Done.")

    async with home_before(authority) as (home, server), home.guest() as client:
        server.plan("RETR", talks_nonsense)
        with await client.passive():
            await client.say("RETR /file")
            heard = await client.expect(150, 426)
        assert "TLS: " in heard[1].text
        assert await client.fetch("RETR /file") == CONTENT
        assert server.logins == 2


async def test_a_server_that_wants_another_tls_session_gets_another_login(
    authority: Authority,
) -> None:
    async with home_before(authority) as (home, server), home.guest() as client:
        server.plan("RETR", says("522 Session reuse required."))
        await client.expect_refusal("RETR /file", 522)
        assert await client.fetch("RETR /file") == CONTENT
        assert server.logins == 2
