from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from proxy.net.server_channel import ServerChannel
from proxy.upstream.condition import Fitness, Unfinished
from proxy.upstream.identity import Credentials
from proxy.upstream.session import Lost, Nonsense, Silent, UpstreamSession
from tests.support.misdeeds import (
    hangs_up,
    keeps_saying,
    last_says,
    resets,
    says,
    spits,
    waits_for,
)
from tests.support.scripted import GREETING, Scripted, scripted


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


@pytest.fixture
async def session(server: Scripted) -> AsyncIterator[UpstreamSession]:
    """A session that has heard its greeting."""
    loop = asyncio.get_running_loop()
    _, channel = await loop.create_connection(ServerChannel, server.host, server.port)
    session = UpstreamSession(channel, 5.0, 0.0)
    session.owed = 1
    assert (await session.reply()).code == 220
    yield session
    channel.abort()
    assert await channel.wait_closed(5.0)


async def test_a_question_gets_its_own_answer(session: UpstreamSession) -> None:
    assert (await session.ask(b"SYST")).code == 215
    assert (await session.ask(b"PWD")).code == 257
    assert session.is_clean


async def test_replies_are_counted_by_the_first_digit_of_their_codes(server: Scripted) -> None:
    server.plan("STAT", says("150 Soon.", "213 Now."))
    server.plan("SYST", says("500 What?"))
    replies = [0] * 10
    loop = asyncio.get_running_loop()
    _, channel = await loop.create_connection(ServerChannel, server.host, server.port)
    session = UpstreamSession(channel, 5.0, 0.0, replies)
    session.owed = 1
    await session.reply()
    await session.ask(b"STAT")
    await session.ask(b"SYST")
    assert replies == [0, 1, 2, 0, 0, 1, 0, 0, 0, 0]
    channel.abort()
    assert await channel.wait_closed(5.0)


async def test_preliminary_replies_do_not_end_what_is_owed(
    session: UpstreamSession, server: Scripted
) -> None:
    server.plan("STAT", says("150 Soon.", "213 Now."))
    session.send(b"STAT /")
    assert (await session.reply()).is_preliminary
    assert session.owed == 1
    assert (await session.reply()).code == 213
    assert session.is_clean


async def test_preliminary_replies_without_end_are_as_good_as_silence(
    session: UpstreamSession, server: Scripted
) -> None:
    server.plan("PWD", keeps_saying("150 Soon."))
    with pytest.raises(Silent):
        await session.ask(b"PWD", 0.2)


async def test_final_passes_over_preliminary_replies(
    session: UpstreamSession, server: Scripted
) -> None:
    server.plan("STAT", says("150 Soon.", "213 Now."))
    assert (await session.ask(b"STAT")).code == 213


async def test_several_commands_owe_several_replies(session: UpstreamSession) -> None:
    session.send(b"SYST", b"PWD")
    assert session.owed == 2
    assert not session.is_clean
    assert [(await session.final()).code for _ in range(2)] == [215, 257]
    assert session.is_clean


async def test_a_reply_too_many_makes_it_unclean(
    session: UpstreamSession, server: Scripted
) -> None:
    server.plan("NOOP", spits(b"200 Here.\r\n200 And again.\r\n"))
    assert (await session.ask(b"NOOP")).code == 200
    assert session.owed == 0
    assert not session.is_clean


async def test_silence_is_told_apart_from_a_loss(
    session: UpstreamSession, server: Scripted
) -> None:
    go_on = asyncio.Event()
    server.plan("NOOP", waits_for(go_on, "NOOP"))
    with pytest.raises(Silent, match="silent") as caught:
        await session.ask(b"NOOP", 0.0)
    assert caught.value.words == "no reply within 0 s"
    assert session.owed == 1
    go_on.set()
    assert (await session.final()).code == 200
    assert session.is_clean


async def test_a_hang_up_is_not_explained_by_the_reply_to_another_command(
    session: UpstreamSession, server: Scripted
) -> None:
    server.plan("STAT", says("226 Transfer complete."))
    server.plan("NOOP", hangs_up)
    await session.ask(b"STAT")
    with pytest.raises(Lost) as caught:
        await session.ask(b"NOOP")
    assert caught.value.words == ""
    assert not session.is_clean


async def test_a_connection_that_breaks_tells_what_became_of_it(
    session: UpstreamSession, server: Scripted
) -> None:
    server.plan("NOOP", resets)
    with pytest.raises(Lost, match="hung up") as caught:
        await session.ask(b"NOOP")
    assert "reset" in caught.value.words


async def test_nonsense_is_told_apart_from_a_hang_up(
    session: UpstreamSession, server: Scripted
) -> None:
    server.plan("NOOP", spits(b"HTTP/1.1 400 Bad Request\r\n"))
    with pytest.raises(Nonsense) as caught:
        await session.ask(b"NOOP")
    assert caught.value.words == "not a reply: HTTP/1.1 400 Bad Request"


async def test_what_follows_a_421_is_explained_by_it(
    session: UpstreamSession, server: Scripted
) -> None:
    server.plan("NOOP", last_says("421 Enough."))
    session.send(b"NOOP", b"PWD")
    for _ in range(2):
        with pytest.raises(Lost) as caught:
            await session.final()
        assert caught.value.words == "Enough."


@pytest.mark.parametrize("stays", [True, False])
async def test_a_421_ends_the_session_whatever_was_asked(
    session: UpstreamSession, server: Scripted, stays: bool
) -> None:
    server.plan("NOOP", says("421 Enough.") if stays else last_says("421 Enough."))
    with pytest.raises(Lost) as caught:
        await session.ask(b"NOOP")
    assert caught.value.words == "Enough."
    assert not session.is_clean


async def test_a_server_process_that_dies_says_so_only_in_a_session_that_is_logged_in(
    session: UpstreamSession, server: Scripted
) -> None:
    server.always["PASV"] = says("500 OOPS: priv_sock_send_cmd")
    assert (await session.ask(b"PASV")).code == 500
    session.key = Credentials(b"alice", b"secret", None).key()
    with pytest.raises(Lost, match="closed"):
        await session.ask(b"PASV")
    assert session.has_ended


async def test_settling_reads_what_abandoned_commands_still_answer(
    session: UpstreamSession,
) -> None:
    session.send(b"SYST", b"PWD")
    assert await session.settle()
    assert (await session.ask(b"NOOP")).code == 200


async def test_settling_in_vain_is_told(session: UpstreamSession, server: Scripted) -> None:
    server.plan("NOOP", hangs_up)
    session.send(b"NOOP")
    assert not await session.settle()


async def test_settling_has_an_end(
    session: UpstreamSession, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.upstream.session.SETTLE", 0.0)
    go_on = asyncio.Event()
    server.plan("NOOP", waits_for(go_on, "NOOP"))
    session.send(b"NOOP")
    assert not await session.settle()
    go_on.set()


async def test_a_transfer_that_is_never_answered_ends_its_session(
    session: UpstreamSession, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxy.upstream.session.PROMPTLY", 0.01)
    server.plan("RETR", says())
    session.send_transfer(b"RETR x")
    assert not await session.settle()
    assert not session.is_clean


async def test_a_restart_that_no_transfer_followed_is_taken_back(
    session: UpstreamSession, server: Scripted
) -> None:
    assert (await session.restart(b"100")).is_intermediate
    assert not session.is_clean
    assert await session.settle()
    assert server.visits[0].lines[-1] == b"REST 0"


async def test_a_session_handed_on_serves_two(session: UpstreamSession, server: Scripted) -> None:
    server.plan("STAT", says("226 Done."))
    session.send_transfer(b"STAT")
    due = session.hand_on()
    session.send(b"PWD")
    assert (await session.final()).code == 257
    assert due.is_settled
    assert session.is_clean


async def test_what_cannot_end_a_transfer_is_the_next_ones(
    session: UpstreamSession, server: Scripted
) -> None:
    server.plan("RETR", says())
    server.plan("NOOP", says("200 Here.", "226 Done."))
    session.send_transfer(b"RETR x")
    due = session.hand_on()
    assert (await session.ask(b"NOOP")).code == 200
    assert (await due.final()).code == 226
    assert session.fitness is Fitness.DISORDERED


async def test_a_hang_up_reaches_both_holders(session: UpstreamSession, server: Scripted) -> None:
    server.plan("RETR", hangs_up)
    session.send_transfer(b"RETR x")
    due = session.hand_on()
    session.send(b"PWD")
    with pytest.raises(Lost):
        await session.final()
    with pytest.raises(Lost):
        await due.final()
    assert not session.is_clean


async def test_a_421_for_the_first_holder_is_the_end_of_both(
    session: UpstreamSession, server: Scripted
) -> None:
    server.plan("RETR", last_says("421 Enough."))
    session.send_transfer(b"RETR x")
    due = session.hand_on()
    session.send(b"PWD")
    for holder in (due, session):
        with pytest.raises(Lost) as caught:
            await holder.final()
        assert caught.value.words == "Enough."


async def test_only_one_final_reply_may_be_missing(session: UpstreamSession) -> None:
    may = [session.may_hand_on]
    session.send(b"SYST")
    may.append(session.may_hand_on)
    session.send(b"PWD")
    may.append(session.may_hand_on)
    assert await session.settle()
    assert may == [False, True, False]


async def test_settling_waits_for_earlier_holders_too(
    session: UpstreamSession, server: Scripted
) -> None:
    server.plan("STAT", says("226 Done."))
    session.send_transfer(b"STAT")
    due = session.hand_on()
    session.send(b"PWD")
    assert await session.settle()
    assert due.is_settled


async def test_a_command_is_one_line_whatever_it_holds(
    session: UpstreamSession, server: Scripted
) -> None:
    await session.ask(b"DELE a\r\xffb")
    assert server.visits[0].lines[-1] == b"DELE a\r\0\xffb"
    with pytest.raises(ValueError, match="one line"):
        session.send(b"DELE a\nDELE b")


async def test_both_addresses_are_known(session: UpstreamSession) -> None:
    assert (session.host, session.local_host) == ("127.0.0.1", "127.0.0.1")


async def test_every_session_has_its_own_number(server: Scripted) -> None:
    server.always[GREETING] = says("220 Hello.")
    loop = asyncio.get_running_loop()
    numbers = set()
    for _ in range(3):
        _, channel = await loop.create_connection(ServerChannel, server.host, server.port)
        numbers.add(UpstreamSession(channel, 5.0, 0.0).id)
        channel.abort()
        await channel.wait_closed(5.0)
    assert len(numbers) == 3


async def test_what_is_unfinished_is_so_until_its_final_reply(
    session: UpstreamSession, server: Scripted
) -> None:
    server.plan("RETR", says("150 Soon.", "226 Done."))
    seen = [session.unfinished]
    await session.restart(b"100")
    seen.append(session.unfinished)
    session.send_transfer(b"RETR x")
    for _ in range(2):
        seen.append(session.unfinished)
        await session.reply()
    seen.append(session.unfinished)
    nothing, restart, transfer = Unfinished
    assert seen == [nothing, restart, transfer, transfer, nothing]


async def test_a_restart_that_is_refused_leaves_nothing_behind(
    session: UpstreamSession, server: Scripted
) -> None:
    server.plan("REST", says("502 No."))
    assert (await session.restart(b"100")).code == 502
    assert session.is_clean


async def test_a_restart_in_the_middle_of_a_transfer_is_a_mistake_of_ours(
    session: UpstreamSession, server: Scripted
) -> None:
    server.plan("RETR", says())
    session.send_transfer(b"RETR x")
    with pytest.raises(AssertionError, match="from TRANSFER to RESTART"):
        await session.restart(b"100")


async def test_nothing_makes_a_session_fit_again(session: UpstreamSession) -> None:
    seen = [session.fitness]
    for deed in (session.spoil, session.spoil, session.answered_out_of_turn, session.spoil):
        deed()
        seen.append(session.fitness)
    fit, spoilt, disordered = Fitness
    assert seen == [fit, spoilt, spoilt, disordered, disordered]


async def test_a_spoilt_session_goes_on_for_its_holder_and_nobody_else(
    session: UpstreamSession,
) -> None:
    session.spoil()
    assert (await session.ask(b"PWD")).code == 257
    assert (session.is_clean, session.is_fit, session.has_ended) == (True, False, False)
