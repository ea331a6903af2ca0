"""Clients that send nonsense, too much, or what is not theirs: a clear reply or a clean end each.

Leaving the house proves what is common to all: no socket, slot, seat or port is left behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from loadtest.ports import free_port
from proxy.ftp.lines import MAX_LINE
from tests.support.house import House, house
from tests.support.raw_client import dial, read_all, read_some
from tests.support.scripted import Scripted, scripted

CONTENT = b"0123456789"


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted({b"/ten": CONTENT}) as server:
        yield server


@pytest.fixture
async def home(server: Scripted) -> AsyncIterator[House]:
    async with house(server) as home:
        yield home


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"A" * (MAX_LINE + 1), 500),
        (b"RETR " + b"x" * (1 << 20), 500),
        (b"RETR \0ten", 500),
        (b"NOOP\0", 500),
        (bytes(range(128, 248)), 500),
        (b"", 500),
        (b" ", 500),
        (b"  NOOP", 500),
        (b"GET / HTTP/1.1", 530),
        (b"NO-OP", 500),
        (b"USER", 501),
        (b"\xff\xfa\xff\xf0", 500),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else str(value),
)
async def test_a_line_that_is_no_command_is_refused_and_the_session_goes_on(
    home: House, line: bytes, code: int
) -> None:
    async with home.client() as client:
        await client.expect(220)
        await client.send(line + b"\r\n")
        await client.expect(code)
        await client.log_in()
        assert await client.fetch("RETR /ten") == CONTENT


async def test_a_bare_lf_ends_a_line(home: House) -> None:
    async with home.client() as client:
        await client.expect(220)
        await client.send(b"USER alice\nPASS secret\nNOOP\n")
        await client.expect(331, 230, 200)


async def test_a_command_may_come_byte_by_byte(home: House) -> None:
    async with home.guest() as client:
        for byte in b"NOOP\r\n":
            await client.send(bytes([byte]))
        await client.expect(200)


async def test_a_line_that_never_ends_is_not_kept(home: House) -> None:
    async with home.client() as client:
        await client.expect(220)
        for _ in range(64):
            await client.send(b"x" * (1 << 16))
        await client.send(b"\r\n")
        await client.expect(500)
        await client.log_in()


async def test_a_line_that_never_ends_does_not_stop_the_idle_clock(server: Scripted) -> None:
    async with house(server, timeouts={"idle": 0.2}) as home, home.client() as client:
        await client.expect(220)
        await client.send(b"never ending")
        await client.expect(421)
        await client.expect_end()


async def test_telnet_options_are_refused_and_otherwise_ignored(home: House) -> None:
    async with home.guest() as client:
        await client.send(b"\xff\xfd\x01\xff\xfb\x03NOOP\r\n")
        async with asyncio.timeout(5):
            answer = await asyncio.get_running_loop().sock_recv(client.sock, 6)
        assert answer == b"\xff\xfc\x01\xff\xfe\x03"
        await client.expect(200)


@pytest.mark.parametrize(
    "line",
    ["RETR x", "STOR x", "LIST", "PASV", "EPSV", "PORT 127,0,0,1,200,1", "CWD /", "SIZE x"]
    + ["DELE x", "RNFR x", "SITE CHMOD 777 x", "STAT", "PWD", "TYPE I", "REST 5", "ABCD"],
)
async def test_nothing_reaches_the_server_before_a_login(
    home: House, server: Scripted, line: str
) -> None:
    async with home.client() as client:
        await client.expect(220)
        assert (await client.ask(line)).code == 530
        assert server.total == 0


@pytest.mark.parametrize(
    "line",
    [
        "PORT 127,0,0,2,200,1",  # another host: the bounce of RFC 2577 section 3
        "PORT 192,0,2,1,200,1",
        "PORT 127,0,0,1,0,22",  # a privileged port
        "PORT 127,0,0,1,3,255",
        "PORT 127,0,0,1,256,1",
        "PORT 127,0,0,1",
        "PORT ::1",
        "EPRT |1|127.0.0.2|51201|",
        "EPRT |1|127.0.0.1|22|",
        "EPRT |1|127.0.0.1|70000|",
        "EPRT |2|::1|51201|",
        "EPRT |||",
    ],
)
async def test_data_goes_to_nobody_but_the_client(home: House, line: str) -> None:
    async with home.guest() as client:
        assert (await client.ask(line)).code in (500, 501, 504, 522)
        assert (await client.ask("RETR /ten")).code == 425
        assert await client.fetch("RETR /ten") == CONTENT


async def test_a_strangers_data_connection_is_closed_and_the_right_one_is_served(
    home: House,
) -> None:
    async with home.guest() as client:
        port = await client.passive_port()
        with await dial(port, "127.0.0.2") as stranger:
            await client.say("RETR /ten")
            await client.expect(150)
            assert await read_some(stranger) == b""
            with await dial(port) as data:
                assert await read_all(data) == CONTENT
            await client.expect(226)


async def test_a_stranger_that_waits_in_front_does_not_keep_the_right_one_out(
    home: House, server: Scripted
) -> None:
    async with home.guest() as client:
        port = await client.passive_port()
        strangers = [await dial(port, "127.0.0.2") for _ in range(8)]
        with await dial(port) as data:
            await client.say("STOR /new")
            await client.expect(150)
            data.send(b"mine")
        await client.expect(226)
        for stranger in strangers:
            stranger.close()
    assert server.files[b"/new"] == b"mine"


async def test_a_second_data_connection_gets_nothing(home: House) -> None:
    async with home.guest() as client:
        port = await client.passive_port()
        with await dial(port) as first, await dial(port) as second:
            await client.say("RETR /ten")
            await client.expect(150, 226)
            assert await read_all(first) == CONTENT
            assert await read_all(second) == b""


async def test_ten_thousand_pipelined_commands_are_all_answered_in_order(home: House) -> None:
    async with home.guest() as client:
        loop = asyncio.get_running_loop()
        lines = b"".join(b"TYPE I\r\nNO-OP\r\n" for _ in range(5_000))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(loop.sock_sendall(client.sock, lines))
            for _ in range(5_000):
                await client.expect(200, 500)
        await client.expect_silence()


async def test_a_client_that_pipelines_without_end_does_not_disturb_others(home: House) -> None:
    async with home.client() as flood, home.guest() as other:
        flood.sock.setblocking(False)
        for _ in range(3):
            filled = False
            while not filled:
                try:
                    flood.sock.send(b"NOOP\r\n" * 10_000)
                except BlockingIOError:
                    filled = True
            assert await other.fetch("RETR /ten") == CONTENT
        flood.vanish()


async def test_a_line_end_in_an_argument_never_makes_a_second_command(
    home: House, server: Scripted
) -> None:
    async with home.guest() as client:
        await client.send(b"DELE /a\r\0DELE /ten\r\n")
        await client.expect(550)
    assert server.files == {b"/ten": CONTENT}
    assert b"DELE /a\r\0DELE /ten" in [line for visit in server.visits for line in visit.lines]


async def test_a_pasv_beyond_the_range_is_explained_and_takes_no_other_port(
    server: Scripted,
) -> None:
    port = free_port()
    async with (
        house(server, passive={"ports": f"{port}-{port}"}) as home,
        home.guest() as first,
        home.guest() as second,
    ):
        assert await first.passive_port() == port
        reply = await second.ask("PASV")
        assert reply.code == 425
        assert "passive.ports" in reply.text
        with await dial(port) as data:
            await first.say("RETR /ten")
            await first.expect(150, 226)
            assert await read_all(data) == CONTENT
        assert await second.fetch("RETR /ten") == CONTENT


async def test_wrong_passwords_end_the_session_and_never_borrow_anothers(
    home: House, server: Scripted
) -> None:
    server.passwords[b"alice"] = b"secret"
    async with home.guest(), home.client() as guesser:
        await guesser.expect(220)
        for code in (530, 530, 421):
            await guesser.say("USER alice", "PASS wrong")
            await guesser.expect(331, code)
        await guesser.expect_end()
    assert server.logins == 1
