"""What a client may rely on around its transfers: order of replies, REST, PASV and PORT, QUIT."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from proxy.events import SessionEnded
from tests.support.honest import HangUp
from tests.support.house import House, house
from tests.support.misdeeds import says, sends_then, waits_for
from tests.support.raw_client import accept, read_all, read_some
from tests.support.scripted import Scripted, Visit, scripted


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted({b"/ten": b"0123456789", b"/empty": b""}) as server:
        yield server


@pytest.fixture
async def home(server: Scripted) -> AsyncIterator[House]:
    async with house(server) as home:
        yield home


async def test_a_transfer_has_exactly_two_replies(home: House) -> None:
    async with home.guest() as client:
        assert await client.fetch("RETR /ten") == b"0123456789"
        assert await client.fetch("RETR /empty") == b""
        assert await client.fetch("LIST /nothing") == b"empty\r\nten\r\n"
        await client.store("STOR /new", b"new")
        await client.expect_silence()


async def test_rest_before_retr_skips_bytes_once(home: House) -> None:
    async with home.guest() as client:
        assert (await client.ask("REST 4")).code == 350
        assert await client.fetch("RETR /ten") == b"456789"
        assert await client.fetch("RETR /ten") == b"0123456789"


async def test_rest_after_pasv_counts_too(home: House) -> None:
    async with home.guest() as client:
        with await client.passive() as data:
            await client.say("REST 7", "RETR /ten")
            await client.expect(350, 150)
            assert await read_all(data) == b"789"
        await client.expect(226)


async def test_rest_before_stor_continues_a_file(home: House, server: Scripted) -> None:
    async with home.guest() as client:
        assert (await client.ask("REST 3")).code == 350
        await client.store("STOR /ten", b"xyz")
    assert server.files[b"/ten"] == b"012xyz"


async def test_rest_goes_right_before_its_transfer(home: House, server: Scripted) -> None:
    async with home.guest() as client:
        await client.say("REST 2", "TYPE I")
        await client.expect(350, 200)
        await client.fetch("RETR /ten")
    assert server.verbs[-2:] == ["REST", "RETR"]


async def test_a_server_that_refuses_rest_is_heard_and_the_next_transfer_works(
    home: House, server: Scripted
) -> None:
    server.plan("REST", says("502 No REST here."))
    async with home.guest() as client:
        with await client.passive():
            await client.say("REST 2", "RETR /ten")
            await client.expect(350, 502)
        assert await client.fetch("RETR /ten") == b"0123456789"


async def test_a_refused_transfer_closes_the_data_connection_and_the_next_one_works(
    home: House,
) -> None:
    async with home.guest() as client:
        with await client.passive() as data:
            await client.say("RETR /missing")
            await client.expect(550)
            assert await read_some(data) == b""
        assert home.lent_ports == 0
        assert await client.fetch("RETR /ten") == b"0123456789"


async def test_a_refused_upload_closes_a_data_connection_that_holds_bytes(
    home: House, server: Scripted
) -> None:
    server.plan("STOR", says("553 Not allowed."))
    async with home.guest() as client:
        with await client.passive() as data:
            data.send(b"too early")
            await client.say("STOR /no")
            await client.expect(553)
            with pytest.raises(ConnectionResetError):
                await read_some(data)
        await client.store("STOR /yes", b"yes")
    assert server.files[b"/yes"] == b"yes"


async def test_a_second_pasv_replaces_the_first(home: House) -> None:
    async with home.guest() as client:
        with await client.passive() as forgotten:
            with await client.passive() as data:
                assert await read_some(forgotten) == b""
                await client.say("RETR /ten")
                await client.expect(150)
                assert await read_all(data) == b"0123456789"
            await client.expect(226)


async def test_port_replaces_pasv(home: House) -> None:
    async with home.guest() as client:
        with await client.passive() as forgotten, await client.active() as listening:
            assert await read_some(forgotten) == b""
            assert home.lent_ports == 0
            await client.say("RETR /ten")
            with await accept(listening) as data:
                await client.expect(150)
                assert await read_all(data) == b"0123456789"
            await client.expect(226)


async def test_pasv_replaces_port(home: House) -> None:
    async with home.guest() as client:
        with await client.active() as listening:
            assert await client.fetch("RETR /ten") == b"0123456789"
            with pytest.raises(BlockingIOError):
                listening.accept()


async def test_a_port_serves_one_transfer(home: House) -> None:
    async with home.guest() as client:
        await client.fetch("RETR /ten")
        await client.say("RETR /ten")
        await client.expect(425)


async def test_an_active_upload_arrives_whole(home: House, server: Scripted) -> None:
    async with home.guest() as client:
        with await client.active() as listening:
            await client.say("STOR /new")
            with await accept(listening) as data:
                await client.expect(150)
                data.send(b"content")
            await client.expect(226)
    assert server.files[b"/new"] == b"content"


async def test_active_towards_the_server_works_both_ways(server: Scripted) -> None:
    async with house(server, upstream={"data": "active"}) as home, home.guest() as client:
        assert await client.fetch("RETR /ten") == b"0123456789"
        await client.store("STOR /new", b"content")
    assert server.files[b"/new"] == b"content"
    assert server.count("PORT") == 2
    assert server.count("PASV") == 0


async def test_epsv_all_refuses_the_others_for_the_rest_of_the_session(
    home: House, server: Scripted
) -> None:
    async with home.guest() as client:
        assert (await client.ask("EPSV ALL")).code == 200
        for line in ("PASV", "PORT 127,0,0,1,200,1", "EPRT |1|127.0.0.1|51201|", "LPRT 4"):
            assert (await client.ask(line)).code in (501, 502), line
        assert (await client.ask("EPSV")).code == 229
        await client.say("RETR /missing")
        await client.expect(550)
        assert (await client.ask("PASV")).code == 501
    assert server.count("EPSV") == 0


async def test_the_data_address_told_is_the_one_the_client_reached(home: House) -> None:
    async with home.guest() as client:
        reply = await client.ask("PASV")
        assert reply.lines[0].startswith(b"227 Entering Passive Mode (127,0,0,1,")


async def test_quit_during_a_transfer_waits_for_its_end(home: House, server: Scripted) -> None:
    go_on = asyncio.Event()
    server.plan("RETR", waits_for(go_on, "RETR"))
    async with home.guest() as client:
        with await client.passive() as data:
            await client.say("RETR /ten", "QUIT")
            await server.until_heard("RETR")
            go_on.set()
            await client.expect(150, 226, 221)
            assert await read_all(data) == b"0123456789"
        await client.expect_end()
    await home.until_quiet()
    assert home.told(SessionEnded)[0].reason == "quit"


async def test_a_fin_behind_quit_does_not_break_the_transfer_off(
    home: House, server: Scripted
) -> None:
    go_on = asyncio.Event()
    server.plan("RETR", waits_for(go_on, "RETR"))
    async with home.guest() as client:
        with await client.passive() as data:
            await client.say("RETR /ten", "QUIT")
            client.sock.shutdown(socket.SHUT_WR)
            await server.until_heard("RETR")
            go_on.set()
            await client.expect(150, 226, 221)
            assert await read_all(data) == b"0123456789"
        await client.expect_end()


async def test_a_client_that_leaves_after_its_upload_has_stored_the_file(
    home: House, server: Scripted
) -> None:
    took_all, go_on = asyncio.Event(), asyncio.Event()

    async def takes_time(visit: Visit, name: bytes) -> None:
        await visit.say("150 Send it.")
        with await visit.data() as sock:
            content = await read_all(sock)
        took_all.set()
        await go_on.wait()
        visit.server.files[name] = content
        await visit.say("226 Stored.")

    server.plan("STOR", takes_time)
    async with home.guest() as client:
        with await client.passive() as data:
            await client.say("STOR /new")
            await client.expect(150)
            data.send(b"content")
        await took_all.wait()
        client.vanish()
        go_on.set()
        await home.until_quiet()
    assert server.files[b"/new"] == b"content"


async def test_pipelined_commands_are_answered_in_their_order(home: House) -> None:
    async with home.guest() as client:
        await client.say("TYPE I", "PWD", "RETR /ten", "SIZE /ten", "CWD /deep", "PWD", "NOOP")
        heard = await client.expect(200, 257, 425, 213, 250, 257, 200)
        assert heard[1].text.startswith('257 "/"')
        assert heard[5].text.startswith('257 "/deep"')


async def test_noop_and_stat_during_a_transfer_are_answered_after_its_226(
    home: House, server: Scripted
) -> None:
    go_on = asyncio.Event()
    server.plan("RETR", waits_for(go_on, "RETR"))
    async with home.guest() as client:
        with await client.passive() as data:
            await client.say("RETR /ten", "NOOP", "STAT")
            await server.until_heard("RETR")
            go_on.set()
            await client.expect(150, 226, 200, 211)
            assert await read_all(data) == b"0123456789"


async def test_a_server_that_skips_its_150_still_gives_the_client_one(
    home: House, server: Scripted
) -> None:
    async def hurries(visit: Visit, _: bytes) -> None:
        with await visit.data() as sock:
            sock.send(b"quick")
        await visit.say("226 Done.")

    server.plan("RETR", hurries)
    async with home.guest() as client:
        assert await client.fetch("RETR /ten") == b"quick"


async def test_the_servers_last_word_after_the_data_reaches_the_client(
    home: House, server: Scripted
) -> None:
    server.plan("RETR", sends_then(b"01234", "451 The disk broke."))
    async with home.guest() as client:
        with await client.passive() as data:
            await client.say("RETR /ten")
            await client.expect(150)
            heard = await client.expect(451)
            assert "The disk broke." in heard[0].text
            with pytest.raises(ConnectionResetError):
                await read_all(data)


async def test_replies_pass_in_any_encoding(home: House, server: Scripted) -> None:
    async def latin(visit: Visit, _: bytes) -> None:
        await visit.send(
            "550-Gar nicht schön\r\n inside\r\n550 Lösch's selbst\r\n".encode("latin-1")
        )

    server.plan("DELE", latin)
    async with home.guest() as client:
        reply = await client.ask("DELE /ten")
    assert reply.lines == (
        "550-Gar nicht schön".encode("latin-1"),
        b" inside",
        b"550 L\xf6sch's selbst",
    )


async def test_a_server_that_ends_its_session_after_the_226_is_not_noticed(
    home: House, server: Scripted
) -> None:
    async def last_file(visit: Visit, name: bytes) -> None:
        await visit.obey_normally("RETR", name)
        raise HangUp

    server.plan("RETR", last_file)
    async with home.guest() as client:
        assert await client.fetch("RETR /ten") == b"0123456789"
        assert await client.fetch("RETR /ten") == b"0123456789"
