"""For how long a session waits for its server where another would do, and when it gives it up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from proxy.upstream.dial import Dialer, Patience
from proxy.upstream.session import PROBES_DECIDE, Lost, UpstreamSession
from tests.support.basin import ALICE
from tests.support.keepalive import borne, probed_after
from tests.support.misdeeds import keeps_silent, says, says_after
from tests.support.scripted import Scripted, scripted

PATIENCE = Patience(connect=10.0, login=10.0, reply=10.0)


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


@pytest.fixture
async def session(server: Scripted) -> AsyncIterator[UpstreamSession]:
    """A session in haste, for another server would do, that has heard its greeting."""
    dialer = Dialer(server.host, server.port, PATIENCE, is_hurried=lambda: True)
    session = await dialer.connect(0.0)
    await dialer.greeting(session)
    yield session
    session.channel.abort()
    assert await session.channel.wait_closed(5.0)


@pytest.fixture
def member(session: UpstreamSession) -> UpstreamSession:
    """The same, logged in."""
    session.key = ALICE.key()
    return session


@pytest.fixture
async def loading(member: UpstreamSession, server: Scripted) -> UpstreamSession:
    """The same, while data moves."""
    server.plan("RETR", says("150 Here it comes."))
    member.send_transfer(b"RETR /ten")
    assert (await member.reply()).is_preliminary
    return member


async def test_haste_is_with_what_is_unanswered_only(
    session: UpstreamSession, server: Scripted
) -> None:
    """While data moves nothing is said for long, and a probe may get lost on the way."""
    is_done = asyncio.Event()
    server.plan("STAT", says_after(is_done, "226 Done."))
    assert borne(session) == PATIENCE.connect
    session.send(b"STAT")
    assert borne(session) == PATIENCE.hurried
    is_done.set()
    await session.reply()
    assert borne(session) == PATIENCE.connect


async def test_a_quiet_session_in_doubt_is_left_to_probes_until_something_is_asked(
    session: UpstreamSession,
) -> None:
    session.doubt()
    assert (borne(session), probed_after(session)) == (PROBES_DECIDE, 1)
    session.send(b"STAT")
    assert borne(session) == PATIENCE.hurried
    session.doubt()
    assert borne(session) == PATIENCE.hurried
    await session.reply()
    assert borne(session) == PATIENCE.connect


async def test_who_waits_for_an_answer_of_a_server_that_is_forsaken_waits_no_longer(
    member: UpstreamSession, server: Scripted
) -> None:
    server.plan("STAT", keeps_silent)

    async def forsake() -> None:
        await server.until_heard("STAT")
        member.forsake()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(forsake())
        with pytest.raises(Lost):
            await member.ask(b"STAT")
    assert member.fell_silent


async def test_data_that_may_still_move_is_not_broken_off(loading: UpstreamSession) -> None:
    loading.forsake()
    assert loading.is_forsaken
    assert not loading.has_ended


async def test_who_is_still_at_the_door_is_not_forsaken(session: UpstreamSession) -> None:
    session.forsake()
    assert not session.is_forsaken


async def test_a_reply_that_only_its_former_holder_awaits_is_forsaken_too(
    loading: UpstreamSession,
) -> None:
    due = loading.hand_on()
    loading.forsake()
    assert due.is_settled
    with pytest.raises(Lost):
        await due.final()


async def test_what_it_owes_tells_nothing_of_a_server_that_answers_others_again(
    loading: UpstreamSession, server: Scripted
) -> None:
    server.plan("STAT", keeps_silent)
    loading.forsake()
    loading.send(b"STAT")
    loading.trust()
    seen = [loading.is_forsaken, loading.is_asked]
    loading.send(b"NOOP")
    assert [*seen, loading.is_asked] == [False, False, True]
