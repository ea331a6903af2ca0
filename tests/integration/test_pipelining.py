"""Commands sent ahead of a final reply: what is saved, and what can never come of it."""

from __future__ import annotations

import asyncio
import ftplib
import hashlib
import io
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest

from proxy.events import CommandsRunAhead, TransferEnded
from tests.support.backend import Backend
from tests.support.batch import Batch
from tests.support.house import House, house
from tests.support.misdeeds import hangs_up, last_says, says
from tests.support.proxy import Ftpweir
from tests.support.raw_client import RawClient, is_reset, patiently, read_all
from tests.support.scripted import Handler, Scripted, Visit, scripted
from tests.support.servers import ProFtpd, PureFtpd, PyFtpd, Vsftpd
from tests.support.users import ALICE

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

ONE = {"sessions": 1, "pipelining": "on"}
FILES = {b"/one": b"1" * 1000, b"/two": b"2" * 2000, b"/deep/two": b"3" * 3000}


def sends_all_but(final: Handler, data: bytes = FILES[b"/one"]) -> Handler:
    """Send a file to its end; what comes then is the test's matter."""

    async def answer(visit: Visit, argument: bytes) -> None:
        await visit.say("150 Here it comes.")
        with await visit.data() as sock:
            await asyncio.get_running_loop().sock_sendall(sock, data)
        await final(visit, argument)

    return answer


async def begin(client: RawClient, command: str) -> socket.socket:
    """Send a transfer command and return its data connection; the 150 is still to come."""
    data = await client.passive()
    await client.say(command)
    return data


async def end(client: RawClient, data: socket.socket, *codes: int) -> bytes:
    """Read the data and the replies, the 150 first; what fails must end in RST."""
    with data:
        await client.expect(150)
        content = b""
        if 226 in codes:
            content = await read_all(data)
        else:
            assert await is_reset(data)
    await client.expect(*codes)
    return content


async def both(home: House, server: Scripted, final: Handler, *codes: int) -> None:
    """Two clients fetch at once over one session; the second hears no difference."""
    server.plan("RETR", sends_all_but(final))
    async with home.guest() as first, home.guest() as second:
        one = await begin(first, "RETR /one")
        await server.until_heard("RETR")
        two = await begin(second, "RETR /two")
        async with asyncio.TaskGroup() as tasks:
            of_first = tasks.create_task(end(first, one, *codes))
            of_second = tasks.create_task(end(second, two, 226))
        assert of_second.result() == FILES[b"/two"]
        if 226 in codes:
            assert of_first.result() == FILES[b"/one"]
        await first.expect_silence()
        await second.expect_silence()


async def test_the_next_transfer_begins_before_the_last_ones_final_reply() -> None:
    async def only_when_asked_again(visit: Visit, _: bytes) -> None:
        visit._received += await visit.read()
        assert visit._received.startswith(b"PASV")
        await visit.say("226 Done.")

    async with scripted(FILES) as server, house(server, upstream=ONE) as home:
        await both(home, server, only_when_asked_again, 226)
        assert server.logins == 1


@pytest.mark.parametrize("code", [226, 451])
async def test_the_next_transfer_begins_once_the_server_has_read_an_upload(code: int) -> None:
    stored = bytearray()

    async def reads_and_waits(visit: Visit, _: bytes) -> None:
        await visit.say("150 Send it.")
        with await visit.data() as sock:
            stored.extend(await read_all(sock))
        visit._received += await visit.read()
        assert visit._received.startswith(b"PASV")
        await visit.say(f"{code} That was it.")

    async with (
        scripted(FILES) as server,
        house(server, upstream=ONE) as home,
        home.guest() as first,
        home.guest() as second,
    ):
        server.plan("STOR", reads_and_waits)
        one = await begin(first, "STOR /new")
        await server.until_heard("STOR")
        two = await begin(second, "RETR /two")
        with one:
            await first.expect(150)
            one.send(b"all of it")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(first.expect(code))
            of_second = tasks.create_task(end(second, two, 226))
        assert of_second.result() == FILES[b"/two"]
        assert stored == b"all of it"
        assert server.logins == 1


@pytest.mark.parametrize("way", [["CWD /deep"], ["TYPE I"]])
async def test_nothing_that_must_be_replayed_runs_ahead(way: list[str]) -> None:
    quiet: list[bool] = []

    async def looks(visit: Visit, _: bytes) -> None:
        visit._sock.setblocking(False)
        await asyncio.sleep(0.05)  # as long as the others like: nothing may come
        try:
            quiet.append(not visit._sock.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            quiet.append(True)
        await visit.say("226 Done.")

    async with (
        scripted(FILES) as server,
        house(server, upstream=ONE) as home,
        home.guest() as first,
        home.guest() as second,
    ):
        for line in way:
            await second.ask(line)
        server.plan("RETR", sends_all_but(looks))
        one = await begin(first, "RETR /one")
        await server.until_heard("RETR")
        two = await begin(second, "RETR two")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(end(first, one, 226))
            of_second = tasks.create_task(end(second, two, 226))
    assert quiet == [True]
    assert of_second.result() == FILES[b"/deep/two" if "CWD" in way[0] else b"/two"]


async def test_a_server_that_answers_out_of_turn_is_understood_once_and_spared_from_then_on() -> (
    None
):
    async def answers_the_next_first(visit: Visit, _: bytes) -> None:
        assert (await visit._next_line()) == b"PASV"
        await visit.obey_normally("PASV", b"")
        await visit.say("226 Done.")

    async with scripted(FILES) as server, house(server, upstream=ONE) as home:
        await both(home, server, answers_the_next_first, 226)
        assert [event.allowed for event in home.told(CommandsRunAhead)] == [False]
        async with home.guest() as client:
            assert await client.fetch("RETR /two") == FILES[b"/two"]
        assert server.logins == 2  # the session that was out of step is not used again


async def test_an_error_at_the_end_is_heard_by_whose_it_is() -> None:
    async with scripted(FILES) as server, house(server, upstream=ONE) as home:
        await both(home, server, says("451 The disk broke."), 451)
        assert sorted(event.code for event in home.told(TransferEnded)) == [226, 451]


@pytest.mark.parametrize("final", [hangs_up, last_says("421 Enough.")])
async def test_a_server_that_leaves_instead_of_answering_harms_one_client_only(
    final: Handler,
) -> None:
    async def waits(visit: Visit, argument: bytes) -> None:
        visit._received += await visit.read()
        await final(visit, argument)

    async with scripted(FILES) as server, house(server, upstream=ONE) as home:
        await both(home, server, waits, 426)
        assert server.logins == 2


async def test_who_leaves_before_its_final_reply_harms_nobody() -> None:
    ahead, left = asyncio.Event(), asyncio.Event()

    async def waits(visit: Visit, _: bytes) -> None:
        visit._received += await visit.read()
        ahead.set()
        await left.wait()
        await visit.say("226 Done.")

    async with scripted(FILES) as server, house(server, upstream=ONE) as home:
        server.plan("RETR", sends_all_but(waits))
        async with home.guest() as second:
            async with home.guest() as first:
                one = await begin(first, "RETR /one")
                await server.until_heard("RETR")
                two = await begin(second, "RETR /two")
                with one:
                    await first.expect(150)
                    await patiently_set(ahead)
                    first.vanish()
            await home.until(lambda: len(home.app.roster) == 1)
            left.set()
            assert await end(second, two, 226) == FILES[b"/two"]
            await second.expect_silence()
        assert server.logins == 1


async def test_who_goes_ahead_and_leaves_harms_nobody() -> None:
    ahead, left = asyncio.Event(), asyncio.Event()

    async def waits(visit: Visit, _: bytes) -> None:
        visit._received += await visit.read()
        ahead.set()
        await left.wait()
        await visit.say("226 Done.")

    async with scripted(FILES) as server, house(server, upstream=ONE) as home:
        server.plan("RETR", sends_all_but(waits))
        async with home.guest() as first, home.guest() as second:
            one = await begin(first, "RETR /one")
            await server.until_heard("RETR")
            two = await begin(second, "RETR /two")
            with two:
                await patiently_set(ahead)
                await second.say("ABOR")
                await second.expect(426, 226)
                left.set()
            assert await end(first, one, 226) == FILES[b"/one"]
            assert await first.fetch("RETR /two") == FILES[b"/two"]
        assert server.logins == 1


async def patiently_set(event: asyncio.Event) -> None:
    """Wait for the event; a test fails rather than hangs."""
    async with patiently():
        await event.wait()


# pyftpdlib is left out in active mode: now and then it forgets the 226 there, ahead or not.
@pytest.mark.parametrize(
    ("kind", "data", "close"),
    [
        *product([Vsftpd, PureFtpd, ProFtpd], ["passive", "active"], ["fin", "reset"]),
        (PyFtpd, "passive", "fin"),
        *product([Vsftpd, PureFtpd, ProFtpd, PyFtpd], ["auto"], ["fin"]),
    ],
)
def test_real_servers_take_what_runs_ahead(kind: type[Backend], data: str, close: str) -> None:
    content = os.urandom(20_000)
    with (
        kind(max_per_ip=2) as server,
        Ftpweir(
            server,
            upstream={"sessions": 2, "data": data, "pipelining": "on"},
            budget={"connections": 10_000, "close": close, "time_wait": "1s"},
        ) as weir,
    ):
        server.place("file.bin", content)
        done = Batch(weir.host, weir.port, ALICE.name, ALICE.password, 8, 160).run()
        assert done.errors == []
        assert done.digests == [hashlib.sha256(content).hexdigest()]
        assert len(done.finished) == 160
        # pyftpdlib takes no PORT with RETR behind it: that is noticed once.
        is_hurt = kind is PyFtpd and data == "auto"
        assert ("commands run ahead" in weir.log) is is_hurt


@pytest.mark.parametrize("kind", [Vsftpd, PureFtpd, ProFtpd, PyFtpd])
def test_what_was_stored_with_others_going_ahead_is_whole(kind: type[Backend]) -> None:
    with (
        kind(max_per_ip=2) as server,
        Ftpweir(
            server,
            upstream={"sessions": 2, "pipelining": "on"},
            budget={"connections": 10_000, "time_wait": "1s"},
        ) as weir,
        ThreadPoolExecutor(4) as scripts,
    ):
        for done in [scripts.submit(store_and_fetch, weir, f"of-{who}") for who in range(4)]:
            done.result()
        assert "commands run ahead" not in weir.log


def store_and_fetch(weir: Ftpweir, name: str) -> None:
    """Store a file of new content again and again, and fetch it back."""
    with ftplib.FTP(timeout=60) as ftp:
        ftp.connect(weir.host, weir.port)
        ftp.login(ALICE.name, ALICE.password)
        for _ in range(10):
            content, back = os.urandom(20_000), io.BytesIO()
            ftp.storbinary(f"STOR {name}", io.BytesIO(content))
            ftp.retrbinary(f"RETR {name}", back.write)
            assert back.getvalue() == content
