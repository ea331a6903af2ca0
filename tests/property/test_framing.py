"""Framing laws: any division of the same bytes into feeds gives the same lines and replies."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from proxy.ftp.lines import MAX_LINE, LineReader, Malformed, encode_line
from proxy.ftp.reply import Reply, ReplyError, ReplyReader

# Bytes that mean something to a reader come often, the rest sometimes.
_CLIENT_PIECES = st.sampled_from(
    [b"\r\n", b"\n", b"\r", b"\0", b"\r\0", b"\xff", b"\xff\xff", b"\xff\xf4\xff\xf2", b"\xff\xfd"]
    + [b"\xff\xfb\x01", b"\xf2", b"NOOP", b"RETR a b", b"\xc3\xa9", b"X" * (MAX_LINE - 2)]
)
_SERVER_PIECES = st.sampled_from(
    [b"\r\n", b"\n", b"\r", b"226 ", b"226", b"226-", b"150 ", b"-", b" ", b"Done.", b"\xff\0"]
    + [b"226 Done.\r\n", b"226-Done\r\n", b"nonsense", b"x" * (MAX_LINE - 6)]
)


def _streams(pieces: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.lists(pieces | st.binary(max_size=4), max_size=12).map(b"".join)


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, *(cut % (len(data) + 1) for cut in cuts), len(data)})
    return [data[start:end] for start, end in zip(places, places[1:], strict=False)]


def _each_byte(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def _lines(feeds: list[bytes]) -> tuple[list[bytes | Malformed], bytes, bool]:
    reader = LineReader()
    lines = [line for data in feeds for line in reader.feed(data)]
    return lines, reader.answers(), reader.pending


def _replies(feeds: list[bytes]) -> tuple[list[Reply], str | None, bool]:
    reader = ReplyReader()
    replies: list[Reply] = []
    try:
        for data in [*feeds, b""]:
            replies += reader.feed(data)
    except ReplyError as error:
        return replies, str(error), reader.pending
    return replies, None, reader.pending


@given(_streams(_CLIENT_PIECES), st.lists(st.integers(0, 1 << 20), max_size=8))
def test_any_division_of_a_clients_bytes_gives_the_same_lines(data: bytes, cuts: list[int]) -> None:
    assert _lines(_cut(data, cuts)) == _lines([data])


@given(_streams(_CLIENT_PIECES))
@example(b"\xff\xf4\xff\xf2ABOR\r\n\xff\xfd\x06RETR a\r\0b\r\n" + b"garbage\xff")
def test_a_clients_bytes_one_at_a_time_give_the_same_lines(data: bytes) -> None:
    assert _lines(_each_byte(data)) == _lines([data])


@given(_streams(_SERVER_PIECES), st.lists(st.integers(0, 1 << 20), max_size=8))
def test_any_division_of_a_servers_bytes_gives_the_same_replies(
    data: bytes, cuts: list[int]
) -> None:
    assert _replies(_cut(data, cuts)) == _replies([data])


@given(_streams(_SERVER_PIECES))
@example(b"226-a\r\n226 b\r\n226\r\n150 c\ntrailing garbage\r\n")
def test_a_servers_bytes_one_at_a_time_give_the_same_replies(data: bytes) -> None:
    assert _replies(_each_byte(data)) == _replies([data])


_CODES = st.integers(100, 599)
_TEXTS = st.lists(st.text(max_size=40), min_size=1, max_size=5)


@given(st.lists(st.tuples(_CODES, _TEXTS), max_size=5), st.binary(max_size=20))
def test_replies_read_back_as_made_whatever_follows(
    made: list[tuple[int, list[str]]], garbage: bytes
) -> None:
    replies = [Reply.of(code, *texts) for code, texts in made]
    wire = b"".join(reply.encode() for reply in replies)
    read, _, _ = _replies([wire + garbage])
    assert read[: len(replies)] == replies


@given(_CODES, _TEXTS)
def test_a_reply_of_ours_is_always_printable_ascii(code: int, texts: list[str]) -> None:
    reply = Reply.of(code, *texts)
    assert len(reply.lines) == len(texts)
    assert all(0x20 <= byte <= 0x7E for line in reply.lines for byte in line)
    assert reply.words.isascii()


@given(_streams(_CLIENT_PIECES))
def test_no_line_of_a_client_becomes_two_lines_for_a_server(data: bytes) -> None:
    for line in LineReader().feed(data + b"\r\n"):
        if isinstance(line, bytes):
            wire = encode_line(line)
            assert wire.count(b"\n") == 1
            assert b"\r" not in wire[:-2].replace(b"\r\0", b"")
            # Escaping may make the longest lines too long for a reader like ours, and what such a
            # reader takes for Telnet is not doubled: real servers would see two bytes.
            if len(wire) <= MAX_LINE and b"\xff" not in line:
                assert LineReader().feed(wire) == [line]
