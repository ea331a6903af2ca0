from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from loadtest.ports import free_port
from proxy.refusals import Reason
from proxy.upstream.dial import (
    AccountWanted,
    Busy,
    Dialer,
    DialError,
    LoginRefused,
    Patience,
    TurnedAway,
)
from proxy.upstream.identity import Credentials
from proxy.upstream.session import UpstreamSession
from tests.support.basin import ALICE, QUICK
from tests.support.keepalive import borne
from tests.support.misdeeds import (
    hangs_up,
    keeps_silent,
    last_says,
    resets,
    says,
    spits,
)
from tests.support.scarce import no_descriptor_left
from tests.support.scripted import GREETING, Handler, Scripted, scripted

SHORT = Patience(connect=0.05, login=0.05, reply=0.05)
# To connect takes longer than that on a busy machine; what is said afterwards is not waited for.
CONNECTED = Patience(connect=10.0, login=0.05, reply=0.05)
UNHURRIED = Patience(connect=10.0, login=10.0, reply=10.0)


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


async def log_in(
    server: Scripted, who: Credentials = ALICE, patience: Patience = QUICK
) -> tuple[Dialer, UpstreamSession]:
    """Dial and log in; whatever happens, the connection is gone afterwards."""
    dialer = Dialer(server.host, server.port, patience)
    session = await dialer.connect(7.0)
    try:
        await dialer.log_in(session, who)
    finally:
        session.channel.abort()
        assert await session.channel.wait_closed(5.0)
    return dialer, session


async def test_a_login_teaches_home_and_facts(server: Scripted) -> None:
    dialer, session = await log_in(server)
    assert session.home == session.state.cwd == b"/"
    assert session.key == ALICE.key()
    assert session.opened_at == 7.0
    assert dialer.facts is not None
    assert dialer.facts.has(b"UTF8")


async def test_facts_are_asked_once(server: Scripted) -> None:
    dialer = Dialer(server.host, server.port, QUICK)
    for _ in range(2):
        session = await dialer.connect(0.0)
        await dialer.log_in(session, ALICE)
        session.channel.abort()
        await session.channel.wait_closed(5.0)
    assert (server.count("FEAT"), server.count("SYST"), server.count("PWD")) == (1, 1, 2)


async def test_a_user_who_needs_no_password_sends_none(server: Scripted) -> None:
    server.plan("USER", says("230 Come in."))
    await log_in(server)
    assert server.count("PASS") == 0


async def test_an_account_is_sent_when_it_is_wanted_and_known(server: Scripted) -> None:
    server.always["PASS"] = says("332 Account?")
    server.always["ACCT"] = says("230 Welcome.")
    with pytest.raises(AccountWanted):
        await log_in(server)
    await log_in(server, Credentials(b"alice", b"secret", b"sales"))
    assert server.visits[-1].lines[2] == b"ACCT sales"


async def test_a_server_without_unix_paths_has_no_home(server: Scripted) -> None:
    server.plan("PWD", says('257 "DISK$USER:[ALICE]" is here.'))
    _, session = await log_in(server)
    assert session.home is None


@pytest.mark.parametrize(
    "words",
    [
        "530 Login incorrect.",
        "530 Permission denied.",
        "530 User alice cannot log in.",
        "530 This account has been disabled.",
        "530 Login authentication failed",
        "530 Not logged in, user or password incorrect!",
        "530 Login incorrect, try again later.",
        "530 Sorry, too many failed attempts: wait, or ask for another password.",
        "530 Please try again later.",
        "501 Strange.",
    ],
)
async def test_a_refused_login_is_the_servers_own_reply(server: Scripted, words: str) -> None:
    server.plan("PASS", says(words))
    with pytest.raises(LoginRefused) as caught:
        await log_in(server)
    assert caught.value.reply.lines == (words.encode(),)


@pytest.mark.parametrize(
    "words",
    [
        "530 Sorry, the maximum number of allowed clients (2) are already connected.",
        "530 Maximum login limit has been reached.",
        "530 Too many connections, try again later",
        "530 There are too many users",
        "530 No more connections from your host allowed",
        "530 User limit exceeded",
        "530 Server is full, come back later",
        "530 Not now, overloaded",
        "530 You are already logged in",
        "530 Can't: limit of 5 sessions per user",
        "430 Not now, try again later.",
    ],
)
async def test_a_busy_server_is_heard_through_its_reply_to_pass(
    server: Scripted, words: str
) -> None:
    server.plan("PASS", says(words))
    with pytest.raises(Busy) as caught:
        await log_in(server)
    assert caught.value.words == words[4:]
    assert caught.value.reason is Reason.UPSTREAM_REFUSED


@pytest.mark.parametrize("verb", [GREETING, "USER", "PASS", "FEAT", "PWD"])
@pytest.mark.parametrize(
    "misdeed",
    [last_says("421 Too many."), hangs_up, resets],
    ids=["421", "hangs up", "resets"],
)
async def test_a_hang_up_at_any_step_of_the_login_means_busy(
    server: Scripted, verb: str, misdeed: Handler
) -> None:
    server.plan(verb, misdeed)
    with pytest.raises(Busy):
        await log_in(server)


async def test_a_hang_up_is_no_answer_to_what_was_said_before(server: Scripted) -> None:
    server.plan("PASS", hangs_up)
    with pytest.raises(Busy, match="^the server hung up during login$"):
        await log_in(server)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("421 Service not available.", Busy),
        ("530 Connection limit exceeded", Busy),
        ("500 OOPS: cannot locate user", TurnedAway),
        ("500 FTP server shut down -- please try again later", TurnedAway),
    ],
)
async def test_only_a_5xx_that_names_no_limit_greets_with_a_no(
    server: Scripted, words: str, told: type[DialError]
) -> None:
    server.plan(GREETING, last_says(words))
    with pytest.raises(DialError) as caught:
        await log_in(server)
    assert type(caught.value) is told
    assert (caught.value.reason, caught.value.words) == (Reason.UPSTREAM_REFUSED, words[4:])


async def test_what_greets_with_nonsense_is_no_ftp_server_and_none_that_is_busy(
    server: Scripted,
) -> None:
    server.plan(GREETING, spits(b"SSH-2.0-OpenSSH_9.2\r\n"))
    with pytest.raises(DialError, match="not a reply: SSH-2.0") as caught:
        await log_in(server)
    assert not isinstance(caught.value, Busy)
    assert caught.value.reason is Reason.UPSTREAM_NO_FTP


@pytest.mark.parametrize("verb", [GREETING, "USER", "PASS", "SYST", "PWD"])
async def test_a_silent_server_is_told_apart(server: Scripted, verb: str) -> None:
    server.plan(verb, keeps_silent)
    with pytest.raises(DialError, match=re.escape("within 0.05 s")) as caught:
        await log_in(server, patience=CONNECTED)
    assert caught.value.reason is Reason.UPSTREAM_SILENT
    assert caught.value.is_of_login is (verb != GREETING)
    assert caught.value.setting == "timeouts.login"


async def test_a_120_before_the_greeting_is_passed_over(server: Scripted) -> None:
    server.plan(GREETING, says("120 Soon.", "220 Now."))
    await log_in(server)


async def test_a_port_where_nobody_listens_is_told_apart() -> None:
    port = free_port()
    with pytest.raises(DialError, match=f"127.0.0.1:{port} refuses connections") as caught:
        await Dialer("127.0.0.1", port, QUICK).connect(0.0)
    assert caught.value.reason is Reason.UPSTREAM_DOWN


async def test_one_that_resets_before_we_could_look_at_it_is_noticed_at_once() -> None:
    loop = asyncio.get_running_loop()
    for turns in range(8):  # in one of them the connection stands and the loop has not told of it
        with socket.create_server(("127.0.0.1", 0)) as listening:
            dialer = Dialer("127.0.0.1", listening.getsockname()[1], UNHURRIED)
            _call_after(loop, turns, listening.close)
            with pytest.raises(DialError) as caught:
                await dialer.log_in(await dialer.connect(0.0), ALICE)
        assert caught.value.reason is not Reason.UPSTREAM_SILENT


def _call_after(loop: asyncio.AbstractEventLoop, turns: int, call: Callable[[], None]) -> None:
    """Call after so many turns of the loop."""
    if turns:
        loop.call_soon(_call_after, loop, turns - 1, call)
    else:
        loop.call_soon(call)


async def test_a_server_that_does_not_answer_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:  # a full backlog drops SYNs, as a firewall would
            sock.setblocking(False)
            sock.connect_ex(address)
        with pytest.raises(DialError, match="no answer from 127.0.0.1 within 0.05 s") as caught:
            await Dialer(address[0], address[1], SHORT).connect(0.0)
        for sock in waiting:
            sock.close()
    assert caught.value.reason is Reason.UPSTREAM_UNREACHABLE


async def test_a_way_that_this_machine_does_not_have_is_unreachable(server: Scripted) -> None:
    with pytest.raises(DialError, match=server.host) as caught:
        await Dialer(server.host, server.port, QUICK, source="203.0.113.7").connect(0.0)
    assert caught.value.reason is Reason.UPSTREAM_UNREACHABLE


async def test_the_source_address_is_the_one_it_was_told(server: Scripted) -> None:
    dialer = Dialer(server.host, server.port, QUICK, source="127.0.0.9")
    session = await dialer.connect(0.0)
    assert session.local_host == "127.0.0.9"
    session.channel.abort()
    await session.channel.wait_closed(5.0)


@pytest.mark.parametrize("another_would_do", [False, True])
async def test_patience_is_short_only_where_another_server_would_do(
    server: Scripted, another_would_do: bool
) -> None:
    dialer = Dialer(server.host, server.port, QUICK, is_hurried=lambda: another_would_do)
    session = await dialer.connect(0.0)
    assert borne(session) == (QUICK.hurried if another_would_do else QUICK.connect)
    session.channel.abort()
    await session.channel.wait_closed(5.0)


async def test_where_another_server_would_do_a_greeting_is_not_waited_for_long(
    server: Scripted,
) -> None:
    server.plan(GREETING, keeps_silent)
    patience = Patience(connect=10.0, login=20.0, reply=20.0, hung=0.05)
    dialer = Dialer(server.host, server.port, patience, is_hurried=lambda: True)
    session = await dialer.connect(0.0)
    with pytest.raises(DialError) as error:
        await dialer.greeting(session)
    assert (error.value.reason, error.value.setting) == (Reason.UPSTREAM_SILENT, "timeouts.hung")
    session.channel.abort()
    await session.channel.wait_closed(5.0)


async def test_a_descriptor_that_we_lack_is_not_the_servers_fault(server: Scripted) -> None:
    with no_descriptor_left(), pytest.raises(DialError) as error:
        await Dialer(server.host, server.port, UNHURRIED).connect(0.0)
    assert error.value.reason is Reason.DESCRIPTORS
