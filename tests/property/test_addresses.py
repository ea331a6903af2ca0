"""Address laws: what is written reads back the same; hostile text is a value or a refusal."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st

from proxy.ftp.address import (
    Endpoint,
    EpsvArgument,
    canonical,
    check_active,
    extended_passive_reply,
    format_eprt,
    format_port,
    parse_eprt,
    parse_epsv,
    parse_extended_passive,
    parse_passive,
    parse_port,
    passive_reply,
)
from proxy.ftp.reply import Refused, Reply, ReplyError

_PORTS = st.integers(1, 65535)
_IPV4 = st.builds(Endpoint, st.builds(IPv4Address, st.integers(0, 2**32 - 1)).map(str), _PORTS)
_IPV6_HOSTS = st.builds(IPv6Address, st.integers(0, 2**128 - 1)).map(str).map(canonical)
_ANY = _IPV4 | st.builds(Endpoint, _IPV6_HOSTS, _PORTS)
_HOSTILE = st.binary(max_size=60) | st.lists(
    st.sampled_from(
        [
            b"|",
            b"1",
            b"2",
            b",",
            b"0",
            b"255",
            b"65536",
            b".",
            b"::",
            b"%",
            b"\xff",
            b" ",
            b"1.2.3.4",
        ]
        + [b"1,2,3,4,5,6", b"(", b")", b"|||", b"ALL", b"!"]
    ),
    max_size=14,
).map(b"".join)


@given(_IPV4)
def test_port_reads_back_as_written(endpoint: Endpoint) -> None:
    assert parse_port(format_port(endpoint)) == endpoint


@given(_ANY)
def test_eprt_reads_back_as_written(endpoint: Endpoint) -> None:
    assert parse_eprt(format_eprt(endpoint)) == endpoint


@given(_IPV4)
def test_227_reads_back_as_written(endpoint: Endpoint) -> None:
    assert parse_passive(passive_reply(endpoint)) == endpoint


@given(_PORTS)
def test_229_reads_back_as_written(port: int) -> None:
    assert parse_extended_passive(extended_passive_reply(port)) == port


@given(_HOSTILE)
def test_a_hostile_argument_is_a_value_or_refused(argument: bytes) -> None:
    for parse in (parse_port, parse_eprt, parse_epsv):
        outcome: object
        try:
            outcome = parse(argument)
        except Refused as refused:
            outcome = refused.reply.code
        match outcome:
            case Endpoint(host, port):
                assert host == canonical(host)
                assert 0 < port <= 65535
            case _:
                assert outcome in (501, 522, *EpsvArgument)


@given(_HOSTILE)
def test_a_hostile_reply_is_a_value_or_an_error(text: bytes) -> None:
    for code, parse in ((227, parse_passive), (229, parse_extended_passive)):
        outcome: object
        try:
            outcome = parse(Reply(code, (b"%d " % code + text,)))
        except ReplyError as error:
            outcome = str(error)
        match outcome:
            case Endpoint(_, port) | int(port):
                assert 0 < port <= 65535
            case _:
                assert str(outcome).isascii()


@given(_ANY, _ANY)
def test_only_the_clients_own_unprivileged_ports_are_obeyed(
    endpoint: Endpoint, client: Endpoint
) -> None:
    for host in (client.host, endpoint.host):
        try:
            check_active(endpoint, host)
            code = 200
        except Refused as refused:
            code = refused.reply.code
        assert code == (200 if endpoint.host == host and endpoint.port >= 1024 else 501)
