"""The client parses replies itself, and notices those that nobody asked for."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from loadtest.scripts.client import STAMP, Gone, Session


class Line:
    """What a session writes to."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.written += data


def a_session() -> tuple[Session, Line]:
    session, line = Session(), Line()
    session.connection_made(cast(asyncio.Transport, line))
    return session, line


async def greeted() -> tuple[Session, Line]:
    session, line = a_session()
    session.data_received(b"220 hello\r\n")
    assert (await session.reply()).code == 220
    return session, line


async def test_a_reply_in_pieces_is_one_reply() -> None:
    session, _ = a_session()
    for byte in b"220 hello\r\n":
        session.data_received(bytes([byte]))
    assert str(await session.reply()) == "220 hello"


async def test_only_the_opening_code_ends_a_multi_line_reply() -> None:
    session, _ = a_session()
    session.data_received(b"220-a\r\n226 not yet\r\n220- b\r\n220 end\r\n")
    assert str(await session.reply()) == "220 end"


async def test_a_command_goes_out_as_a_line() -> None:
    session, line = await greeted()
    session.send("NOOP")
    assert line.written == b"NOOP\r\n"


async def test_a_reply_that_nobody_asked_for_is_a_strangers() -> None:
    session, _ = await greeted()
    session.data_received(b"226 Transfer complete.\r\n")
    [told] = session.check_strangers()
    assert told.startswith("226 Transfer complete.")
    assert session.check_strangers() == []


async def test_a_421_may_come_at_any_time() -> None:
    session, _ = await greeted()
    session.data_received(b"421 Idle too long.\r\n")
    assert session.check_strangers() == []
    session.send("NOOP")
    assert (await session.reply()).code == 421


async def test_a_preliminary_reply_does_not_answer_the_command() -> None:
    session, _ = await greeted()
    session.send("RETR f")
    session.data_received(b"150 here it comes\r\n")
    await session.reply()
    session.data_received(b"226 done\r\n")
    assert session.check_strangers() == []
    assert (await session.reply()).code == 226


async def test_the_end_of_the_connection_ends_the_wait() -> None:
    session, _ = await greeted()
    session.connection_lost(None)
    with pytest.raises(Gone, match="closed by the server"):
        await session.ask("NOOP")


async def test_a_reply_that_breaks_off_is_told() -> None:
    session, _ = await greeted()
    session.send("NOOP")
    session.data_received(b"200 O")
    session.connection_lost(ConnectionResetError())
    with pytest.raises(Gone, match="reset by the server in the middle of a reply"):
        await session.reply()


async def test_what_is_no_reply_ends_the_session() -> None:
    session, _ = a_session()
    session.data_received(b"SSH-2.0-x\r\n")
    with pytest.raises(Gone, match="no FTP reply"):
        await session.reply()


@pytest.mark.parametrize(
    ("text", "path"), [("Done. [/a/f1]", "/a/f1"), ("Done.", None), ("[/a] Done.", None)]
)
def test_a_stamp_stands_at_the_end(text: str, path: str | None) -> None:
    found = STAMP.search(text)
    assert (found[1] if found else None) == path
