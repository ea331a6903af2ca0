"""A server forgets our TLS session, and demands that data connections resume it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path

import pytest

from proxy.events import TransferEnded
from proxy.exchange import forgotten
from proxy.net.certificate import CertificateFiles, server_context
from tests.support.authority import Authority
from tests.support.misdeeds import says
from tests.support.tls_house import CONTENT, forgets, home_before, stores

REFUSALS = ("522 Session reuse required.", "425 Unable to build data connection.")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def another(authority: Authority) -> ssl.SSLContext:
    """What no session of the server's is known to."""
    return server_context(CertificateFiles(str(authority.issue().certificate)))


@pytest.mark.parametrize("heal", ["on", "off"])
@pytest.mark.parametrize("pooling", ["transfer", "session"])
@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_download_is_fetched_on_another_session(
    authority: Authority, another: ssl.SSLContext, refusal: str, pooling: str, heal: str
) -> None:
    async with (
        home_before(authority, pooling=pooling, heal=heal) as (home, server),
        home.guest() as client,
    ):
        server.plan("RETR", forgets(another, refusal))
        assert await client.fetch("RETR /file") == CONTENT
        assert await client.fetch("RETR /file") == CONTENT
        await client.expect_silence()
        assert server.logins == 2
    assert {(one.result, one.heals) for one in home.told(TransferEnded)} == {("done", 0)}


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("refusal", REFUSALS)
async def test_an_upload_waits_for_the_servers_word_and_goes_to_another_session(
    authority: Authority, another: ssl.SSLContext, refusal: str, waits: bool
) -> None:
    async with home_before(authority) as (home, server), home.guest() as client:
        await client.store("STOR /first", CONTENT)
        server.plan("STOR", forgets(another, refusal, waits=waits))
        await client.store("STOR /second", CONTENT)
        await client.expect_silence()
        assert server.files[b"/first"] == server.files[b"/second"] == CONTENT
        assert server.logins == 2


async def test_who_no_longer_resumes_and_does_not_mind_is_waited_for_once(
    authority: Authority, another: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgotten, "OBJECTION", 0.05)
    async with home_before(authority) as (home, server), home.guest() as client:
        await client.store("STOR /first", CONTENT)
        server.always["STOR"] = stores(another)
        await client.store("STOR /second", CONTENT)
        monkeypatch.setattr(forgotten, "OBJECTION", float("nan"))  # nobody asks again
        await client.store("STOR /third", CONTENT)
        assert server.files[b"/third"] == CONTENT
        assert server.logins == 1


async def test_a_server_that_hangs_up_on_an_upload_and_never_says_why_has_lost_it(
    authority: Authority, another: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with home_before(authority) as (home, server), home.guest() as client:
        await client.store("STOR /first", CONTENT)
        monkeypatch.setattr(forgotten, "OBJECTION", 0.2)
        server.plan("STOR", forgets(another, ""))  # a blank line says nothing
        with await client.passive():
            await client.say("STOR /second")
            heard = await client.expect(150, 426)
        assert "the server's data connection was lost" in heard[-1].text


async def test_an_upload_of_which_bytes_have_gone_is_not_tried_again(
    authority: Authority, another: ssl.SSLContext
) -> None:
    async with home_before(authority) as (home, server), home.guest() as client:
        server.plan("STOR", forgets(another, REFUSALS[0]))  # nobody knows yet that it ever resumes
        with await client.passive() as data:
            await client.say("STOR /file")
            await client.expect(150)
            with contextlib.suppress(ConnectionError):
                await asyncio.get_running_loop().sock_sendall(data, CONTENT)
                data.shutdown(socket.SHUT_WR)
            await client.expect(522)
        assert server.count("STOR") == 1
        await client.store("STOR /file", CONTENT)
        assert server.logins == 2


async def test_a_server_that_knows_no_fresh_session_either_is_believed(
    authority: Authority, another: ssl.SSLContext
) -> None:
    async with home_before(authority) as (home, server), home.guest() as client:
        server.always["RETR"] = forgets(another, REFUSALS[0])
        with await client.passive():
            await client.say("RETR /file")
            await client.expect(150, 522)
        assert server.count("RETR") == 2


async def test_a_pinned_session_is_not_left_for_its_tls(
    authority: Authority, another: ssl.SSLContext
) -> None:
    async with home_before(authority) as (home, server), home.guest() as client:
        server.always["SITE"] = says("200 Done.")
        assert (await client.ask("SITE ODD")).code == 200
        server.plan("RETR", forgets(another, REFUSALS[0]))
        with await client.passive():
            await client.say("RETR /file")
            await client.expect(150, 522)
        assert server.logins == 1
