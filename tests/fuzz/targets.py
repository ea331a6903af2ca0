"""The fuzz targets: any bytes give a value or the reader's own error, and what holds for it holds.

Each takes bytes and returns nothing; anything it raises is a finding.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from proxy.config.parsing import examine
from proxy.ftp.action import Forward, Login, Move, Pin, Rename, Transfer
from proxy.ftp.address import (
    Endpoint,
    check_active,
    format_eprt,
    format_port,
    parse_eprt,
    parse_epsv,
    parse_extended_passive,
    parse_passive,
    parse_port,
    reachable,
)
from proxy.ftp.command import parse_command
from proxy.ftp.dialogue import Dialogue
from proxy.ftp.facts import ServerFacts
from proxy.ftp.lines import MAX_LINE, LineReader, Malformed, encode_line
from proxy.ftp.permissions import READ_ONLY
from proxy.ftp.reply import MAX_REPLY, Refused, Reply, ReplyError, ReplyReader
from proxy.ftp.stat_listing import StatHabit, listed
from proxy.ftp.virtual import parse_directory
from proxy.net.proxy_header import BadHeader, ProxyHeader

Target = Callable[[bytes], None]
NO_VERBS: frozenset[str] = frozenset()


def lines(data: bytes) -> None:
    """A client's bytes: the same lines however they are cut, none too long, none with CR or LF."""
    whole, pieces = LineReader(), LineReader()
    cut = data[0] % 7 + 1 if data else 1
    found = whole.feed(data)
    again = [line for at in range(0, len(data), cut) for line in pieces.feed(data[at : at + cut])]
    assert found == again
    for line in found:
        if not isinstance(line, Malformed):
            assert len(line) <= MAX_LINE
            assert b"\r\n" not in line
            assert b"\n" not in encode_line(line)[:-1].removesuffix(b"\r")


def commands(data: bytes) -> None:
    """A client's session line by line: every command is decided or refused; nothing goes to the
    server before the login, and nothing that goes there holds a line end."""
    dialogue = Dialogue("192.0.2.7", is_ipv6=False, site_harmless=NO_VERBS)
    for line in LineReader().feed(data)[:50]:
        if isinstance(line, Malformed):
            continue
        try:
            command = parse_command(line)
            READ_ONLY.forbids(command)
            action = dialogue.decide(command)
        except Refused as refused:
            _fits_a_reply(refused)
            continue
        match action:
            case Login():
                dialogue.logged_in(b"/home", ServerFacts())
            case Forward(sent) | Move(sent) | Pin(sent) | Rename(sent, _) | Transfer(sent):
                assert dialogue.is_logged_in
                assert encode_line(sent.line).count(b"\n") == 1
            case _:
                pass


def _fits_a_reply(refused: Refused) -> None:
    assert refused.reply.encode().count(b"\r\n") == len(refused.reply.lines)


def replies(data: bytes) -> None:
    """A server's bytes: the same replies however they are cut, or one error; bounded."""
    found, error = _read(data, len(data) or 1)
    again, also = _read(data, data[0] % 7 + 1 if data else 1)
    assert found == again
    assert (error is None) == (also is None)
    for reply in found:
        assert sum(map(len, reply.lines)) <= MAX_REPLY
        assert reply.words.isprintable()
        parse_directory(reply)
        ServerFacts.of(reply, reply)


def _read(data: bytes, cut: int) -> tuple[list[Reply], ReplyError | None]:
    reader, found = ReplyReader(), []
    for at in range(0, len(data), cut):
        try:
            found += reader.feed(data[at : at + cut])
        except ReplyError:
            break
    return found, reader.error


def addresses(data: bytes) -> None:
    """PORT, EPRT, EPSV, 227 and 229: an address that formats back to itself, or a refusal; and no
    data goes anywhere but to the client itself."""
    for parse, show in ((parse_port, format_port), (parse_eprt, format_eprt)):
        try:
            endpoint = parse(data)
        except Refused:
            continue
        assert parse(show(endpoint)) == endpoint
        _never_bounces(endpoint)
    with contextlib.suppress(Refused):
        parse_epsv(data)
    line = data.translate(None, b"\r\n")
    try:
        told = parse_passive(Reply(227, (b"227 " + line,)))
        assert reachable(told.host, "192.0.2.9") == "192.0.2.9"
    except ReplyError:
        pass
    with contextlib.suppress(ReplyError):
        assert 0 < parse_extended_passive(Reply(229, (b"229 " + line,))) < 65536


def _never_bounces(endpoint: Endpoint) -> None:
    try:
        check_active(endpoint, "192.0.2.7")
    except Refused:
        return
    assert endpoint.host == "192.0.2.7"
    assert endpoint.port >= 1024


def listings(data: bytes) -> None:
    """LIST out of STAT: nothing invented, and after the lesson the same as what was taught."""
    body = tuple(data.split(b"\n")[:200])
    reply = Reply(213, (b"213-Status:", *body, b"213 End."))
    habit = StatHabit()
    asked = listed(data[:20])
    assert habit.listing(b"", reply) is None
    habit.saw(b"", reply, b"".join(line + b"\r\n" for line in body))
    made = habit.listing(b"", reply)
    if made is not None:
        assert set(made.split(b"\r\n")[:-1]) <= {line.removeprefix(b" ") for line in body}
    if asked is not None:
        assert asked.stat_line.startswith(b"STAT ")


def proxy_headers(data: bytes) -> None:
    """A balancer's header, whole or byte by byte: the same, or refused."""
    assert _told(data, len(data) or 1) == _told(data, 1)


def _told(data: bytes, cut: int) -> tuple[object, ...] | None:
    header = ProxyHeader()
    for at in range(0, len(data), cut):
        try:
            told = header.feed(data[at : at + cut])
        except BadHeader:
            return None
        if told is not None:
            return told.source, told.rest + data[at + cut :]
    return ()


def configs(data: bytes) -> None:
    """A configuration: a Config, or problems that each say where."""
    reading = examine(data.decode("utf-8", "replace"), "fuzz.yaml", {"HOME": "/root"})
    if reading.config is None:
        assert reading.problems
    for problem in reading.problems:
        assert str(problem).startswith("fuzz.yaml")


TARGETS: dict[str, Target] = {
    "lines": lines,
    "commands": commands,
    "replies": replies,
    "addresses": addresses,
    "listings": listings,
    "proxy_headers": proxy_headers,
    "configs": configs,
}
