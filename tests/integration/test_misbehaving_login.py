"""Servers that are busy, silent or nonsensical before anybody is logged in.

Leaving the house proves what is common to all: no socket, slot, seat or port is left behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from loadtest.ports import free_port
from proxy.events import LoginFailed, UpstreamRefused
from proxy.ftp.lines import MAX_LINE
from proxy.ftp.reply import MAX_REPLY
from tests.support.house import House, house
from tests.support.misdeeds import (
    hangs_up,
    keeps_silent,
    last_says,
    resets,
    says,
    spits,
)
from tests.support.scripted import GREETING, Handler, Scripted, scripted

CONTENT = b"0123456789"
BUSY = [
    "421 Too many connections (2) from this IP",
    "421 There are too many connections from your internet address.",
    "421 Maximum number of users reached, try again later",
    "421-Sorry\r\n421 Service not available",
]
BUSY_530 = [
    "530 Sorry, the maximum number of clients (2) for this user already connected.",
    "530 Sorry, the maximum number of connections (2) from your host are already connected.",
    "530 User alice: too many connections",
    "530 Too many users logged in, try later.",
    "530 Sorry, max 2 users -- try again later",
    "530 Connection limit exceeded",
    "530-Busy.\r\n530 No more connections allowed",
    "530 Login limit of 2 sessions reached",
]
NONSENSE = [
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"\x16\x03\x01\x00\x00\r\n",
    b"999 Nine.\r\n",
    b"22 Short.\r\n",
    b"x" * (MAX_LINE + 1),
    b"220-" + (b"x" * 1000 + b"\r\n ") * (MAX_REPLY // 1000 + 2),
]


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted({b"/ten": CONTENT}) as server:
        yield server


@pytest.fixture
async def home(server: Scripted) -> AsyncIterator[House]:
    async with house(server) as home:
        yield home


@pytest.fixture
async def hasty(server: Scripted) -> AsyncIterator[House]:
    """One that soon has enough of silence, and would have of an honest server's on a bad day."""
    quick = {"connect": 0.3, "login": 0.3, "final": 0.3, "stall": 0.15}
    async with house(server, timeouts=quick, queue={"max_wait": 3.0}) as home:
        yield home


async def turned_away(home: House) -> str:
    """Log in in vain; return the words of the 421."""
    async with home.client() as client:
        await client.say("USER alice", "PASS secret")
        text = (await client.expect(220, 331, 421))[-1].text
        await client.expect_end()
        return text


@pytest.mark.parametrize("words", BUSY)
@pytest.mark.parametrize("verb", [GREETING, "USER", "PASS"])
async def test_a_busy_server_is_asked_again_and_the_client_only_waits(
    home: House, server: Scripted, verb: str, words: str
) -> None:
    server.plan(verb, last_says(words))
    async with home.guest() as client:
        assert await client.fetch("RETR /ten") == CONTENT
    assert server.logins == 1
    assert len(home.told(UpstreamRefused)) == 1


@pytest.mark.parametrize(
    ("misdeed", "words"),
    [
        (last_says(BUSY[1]), "There are too many connections from your internet address"),
        (hangs_up, "the server hung up before its greeting"),
    ],
    ids=["421", "hangs up"],
)
async def test_a_server_that_stays_full_is_quoted_to_everybody_who_has_waited(
    server: Scripted, misdeed: Handler, words: str
) -> None:
    server.always[GREETING] = misdeed

    async with house(server, queue={"max_wait": 1.0}) as home, asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(turned_away(home)) for _ in range(6)]
        for one in asyncio.as_completed(waiting):
            assert (await one).startswith(f"421 Server refuses: {words}, try again later")


@pytest.mark.timeout(60)
async def test_a_server_that_greets_with_a_no_is_quoted_at_once_when_it_is_no_restart(
    server: Scripted,
) -> None:
    server.always[GREETING] = last_says("500 OOPS: no such user: ftp")
    settings = {"queue": {"max_wait": "10m"}, "timeouts": {"outage": "1s"}}

    async with house(server, **settings) as home:
        async with asyncio.TaskGroup() as tasks:
            waiting = [tasks.create_task(turned_away(home)) for _ in range(6)]
        told = {(await one).partition(", try again later")[0] for one in waiting}
        assert told == {"421 Server refuses: OOPS: no such user: ftp"}
        assert server.total == len(home.told(UpstreamRefused))


async def test_a_standby_takes_over_from_a_server_that_greets_with_a_no(server: Scripted) -> None:
    server.always[GREETING] = last_says("500 OOPS: no such user: ftp")
    async with scripted({b"/ten": CONTENT}) as other:
        standby = {"standby": [f"{other.host}:{other.port}"]}
        async with house(server, upstream=standby) as home, home.guest() as client:
            assert await client.fetch("RETR /ten") == CONTENT
    assert other.logins == 1


async def test_a_server_that_greets_with_a_no_may_be_restarting(server: Scripted) -> None:
    server.plan(GREETING, last_says("500 FTP server shut down"))
    async with house(server, timeouts={"outage": "20s"}) as home, home.guest() as client:
        assert await client.fetch("RETR /ten") == CONTENT
    assert server.total == 2


async def test_a_transfer_that_finds_no_session_hears_why_the_server_gives_none(
    server: Scripted,
) -> None:
    async with house(server, queue={"max_wait": 1.0}) as home, home.guest() as client:
        server.always[GREETING] = last_says(BUSY[0])
        server.visits[0].leave()
        await home.until(lambda: not home.egresses[0].pool.seats)
        with await client.passive():
            refused = await client.ask("RETR /ten")
        assert "425 Server refuses: Too many connections (2) from this IP, try" in refused.text


@pytest.mark.parametrize("words", BUSY_530)
async def test_a_530_that_means_busy_is_not_taken_for_a_wrong_password(
    home: House, server: Scripted, words: str
) -> None:
    server.plan("PASS", last_says(words))
    async with home.guest() as client:
        assert await client.fetch("RETR /ten") == CONTENT
    assert home.told(LoginFailed) == []


@pytest.mark.parametrize(
    "words", ["530 Login incorrect.", "530 Not logged in.", "530 Authentication failed, sorry"]
)
async def test_a_530_that_means_wrong_password_is_told_at_once(
    home: House, server: Scripted, words: str
) -> None:
    server.plan("PASS", says(words))
    async with home.client() as client:
        await client.say("USER alice", "PASS wrong")
        heard = await client.expect(220, 331, 530)
        assert heard[-1].text == words
        await client.log_in()
    assert len(home.told(LoginFailed)) == 1


@pytest.mark.parametrize("misdeed", [hangs_up, resets], ids=lambda one: one.__name__)
@pytest.mark.parametrize("verb", [GREETING, "USER", "PASS", "PWD"])
async def test_a_server_that_hangs_up_during_the_login_is_asked_again(
    home: House, server: Scripted, verb: str, misdeed: Handler
) -> None:
    server.plan(verb, misdeed)
    async with home.guest() as client:
        assert await client.fetch("RETR /ten") == CONTENT


@pytest.mark.parametrize("verb", [GREETING, "USER", "PASS", "PWD"])
async def test_a_silent_server_is_explained_with_a_421(
    hasty: House, server: Scripted, verb: str
) -> None:
    server.plan(verb, keeps_silent)
    async with hasty.client() as client:
        await client.say("USER alice", "PASS secret")
        heard = await client.expect(220, 331, 421)
        assert "(timeouts.login)" in heard[-1].text
        await client.expect_end()


async def test_a_530_that_only_says_later_is_not_asked_for_again(
    home: House, server: Scripted
) -> None:
    words = "530 Login incorrect, try again later."
    server.always["PASS"] = says(words)
    async with home.client() as client:
        await client.say("USER alice", "PASS wrong")
        heard = await client.expect(220, 331, 530)
        assert heard[-1].text == words
    assert server.count("PASS") == 1


async def test_a_port_where_something_else_listens_is_told_at_once(
    home: House, server: Scripted
) -> None:
    server.always[GREETING] = spits(b"SSH-2.0-OpenSSH_9.2\r\n")
    async with home.client() as client:
        await client.say("USER alice", "PASS secret")
        heard = (await client.expect(220, 331, 421))[-1].text
        await client.expect_end()
    assert heard.startswith("421 No FTP server answers there (upstream.port): not a reply: SSH-2")
    assert server.total == 1


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda data: repr(data[:12]))
@pytest.mark.parametrize("verb", ["USER", "FEAT"])
async def test_nonsense_instead_of_a_reply_ends_that_session_with_the_server(
    home: House, server: Scripted, verb: str, nonsense: bytes
) -> None:
    server.plan(verb, spits(nonsense))
    async with home.guest() as client:
        assert await client.fetch("RETR /ten") == CONTENT
    assert server.total == 2


async def test_a_server_that_is_not_there_is_explained_with_a_421(server: Scripted) -> None:
    async with house(server, upstream={"port": free_port()}) as home, home.client() as client:
        await client.say("USER alice", "PASS secret")
        heard = await client.expect(220, 331, 421)
        assert "refuses connections" in heard[-1].text
        await client.expect_end()


async def test_a_server_that_will_not_tell_its_directory_still_serves(
    home: House, server: Scripted
) -> None:
    server.always["PWD"] = says("502 No such command.")
    async with home.guest() as client:
        assert (await client.ask("CWD /deep")).code == 250
        server.files[b"/deep/file"] = b"deep"
        assert await client.fetch("RETR file") == b"deep"


async def test_a_login_that_hangs_is_no_trouble_for_others(hasty: House, server: Scripted) -> None:
    async with hasty.guest() as alice:
        server.plan("PASS", keeps_silent)
        async with hasty.client() as bob:
            await bob.expect(220)
            await bob.say("USER bob", "PASS secret")
            await bob.expect(331, 421)
        assert await alice.fetch("RETR /ten") == CONTENT
