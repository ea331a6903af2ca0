"""Addresses: every form of PORT, EPRT, EPSV, 227 and 229, and which of them may be used."""

from __future__ import annotations

import pytest

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
    reachable,
)
from proxy.ftp.reply import Refused, Reply, ReplyError

V4 = Endpoint("192.0.2.1", 2021)
V6 = Endpoint("2001:db8::1", 2021)


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:0201", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
    ],
)
def test_an_address_has_one_form(written: str, form: str) -> None:
    assert canonical(written) == form


@pytest.mark.parametrize("host", ["", "localhost", "1.2.3", "1.2.3.4.5", "010.1.2.3", "1.2.3.256"])
def test_a_name_is_no_address(host: str) -> None:
    with pytest.raises(ValueError, match="not appear to be"):
        canonical(host)


def test_port_is_six_numbers() -> None:
    assert parse_port(b"192,0,2,1,7,229") == V4


def test_numbers_of_port_are_decimal_and_blanks_around_them_harmless() -> None:
    assert parse_port(b" 192,000,002,001,7,229 ") == V4


@pytest.mark.parametrize(
    "argument",
    [
        b"",
        b"1,2,3,4,5",
        b"1,2,3,4,5,6,7",
        b"1,2,3,4,5,",
        b"1,2,3,4,5,256",
        b"256,2,3,4,5,6",
        b"1,2,3,4,0,0",
        b"1,2,3,4,5,0006",
        b"1,2,3,4,5,-6",
        b"1, 2, 3, 4, 5, 6",
        b"1.2.3.4,5,6",
        b"1,2,3,4,5,6\r",
        b"1,2,3,4,5,\xb2",
        b"(1,2,3,4,5,6)",
        b"a,b,c,d,e,f",
    ],
)
def test_an_odd_port_is_refused_with_501(argument: bytes) -> None:
    with pytest.raises(Refused, match="six numbers") as caught:
        parse_port(argument)
    assert caught.value.reply.code == 501


@pytest.mark.parametrize(
    ("argument", "endpoint"),
    [
        (b"|1|192.0.2.1|2021|", V4),
        (b"|2|2001:DB8::1|2021|", V6),
        (b" |1|192.0.2.1|2021| ", V4),
        (b"|2|::ffff:192.0.2.1|2021|", V4),
        (b"|1|192.0.2.1|65535|", Endpoint("192.0.2.1", 65535)),
    ],
)
def test_eprt_names_either_family(argument: bytes, endpoint: Endpoint) -> None:
    assert parse_eprt(argument) == endpoint


@pytest.mark.parametrize("number", [d for d in range(33, 127) if chr(d) not in "0123456789.:"])
def test_any_printable_delimiter_of_eprt_is_accepted(number: int) -> None:
    d = bytes([number])
    assert parse_eprt(d.join([b"", b"1", b"192.0.2.1", b"2021", b""])) == V4


def test_a_delimiter_that_is_a_digit_is_accepted_where_it_is_clear() -> None:
    assert parse_eprt(b"717192.0.2.1720217") == V4


@pytest.mark.parametrize(
    "argument",
    [
        b"",
        b"|",
        b"||||",
        b"|1|192.0.2.1|2021",
        b"|1|192.0.2.1|2021|x",
        b"|1|192.0.2.1|2021||",
        b"x|1|192.0.2.1|2021|",
        b"|1|192.0.2.1|0|",
        b"|1|192.0.2.1|65536|",
        b"|1|192.0.2.1|002021|",
        b"|1|192.0.2.1| 2021|",
        b"|1|192.0.2.1|-1|",
        b"|1|2001:db8::1|2021|",
        b"|2|192.0.2.1|2021|",
        b"|2|fe80::1%eth0|2021|",
        b"|1|localhost|2021|",
        b"|1|192.0.2.\xb2|2021|",
        b"|x|192.0.2.1|2021|",
        b"||192.0.2.1|2021|",
        b"\x7f1\x7f192.0.2.1\x7f2021\x7f",
        b"\xff1\xff192.0.2.1\xff2021\xff",
        b".1.192.0.2.1.2021.",
    ],
)
def test_an_odd_eprt_is_refused_with_501(argument: bytes) -> None:
    with pytest.raises(Refused, match="EPRT wants") as caught:
        parse_eprt(argument)
    assert caught.value.reply.code == 501


@pytest.mark.parametrize("argument", [b"|3|x|21|", b"|0|192.0.2.1|2021|", b"|11|::1|2021|"])
def test_an_unsupported_family_is_refused_with_522_and_those_supported(argument: bytes) -> None:
    with pytest.raises(Refused) as caught:
        parse_eprt(argument)
    assert caught.value.reply.encode() == b"522 Network protocol not supported, use (1,2)\r\n"


@pytest.mark.parametrize(
    ("argument", "meaning"),
    [
        (b"", EpsvArgument.ANY),
        (b"1", EpsvArgument.IPV4),
        (b"2", EpsvArgument.IPV6),
        (b"ALL", EpsvArgument.ALL),
        (b"all ", EpsvArgument.ALL),
    ],
)
def test_epsv_takes_nothing_a_family_or_all(argument: bytes, meaning: EpsvArgument) -> None:
    assert parse_epsv(argument) is meaning


@pytest.mark.parametrize(("argument", "code"), [(b"3", 522), (b"99", 522), (b"ANY", 501)])
def test_any_other_epsv_is_refused(argument: bytes, code: int) -> None:
    with pytest.raises(Refused) as caught:
        parse_epsv(argument)
    assert caught.value.reply.code == code


def test_an_endpoint_is_written_as_it_is_read() -> None:
    assert format_port(V4) == b"192,0,2,1,7,229"
    assert format_eprt(V4) == b"|1|192.0.2.1|2021|"
    assert format_eprt(V6) == b"|2|2001:db8::1|2021|"


def test_a_scope_is_not_told_to_others() -> None:
    assert format_eprt(Endpoint("fe80::1%eth0", 2021)) == b"|2|fe80::1|2021|"


def test_port_and_227_cannot_name_ipv6() -> None:
    assert V6.is_ipv6
    assert not V4.is_ipv6
    with pytest.raises(ValueError, match="2001:db8::1"):
        format_port(V6)
    with pytest.raises(ValueError, match="2001:db8::1"):
        passive_reply(V6)


def test_227_has_the_plain_parenthesised_form() -> None:
    assert passive_reply(V4).encode() == b"227 Entering Passive Mode (192,0,2,1,7,229).\r\n"


def test_229_has_the_form_of_rfc_2428() -> None:
    reply = extended_passive_reply(2021)
    assert reply.encode() == b"229 Entering Extended Passive Mode (|||2021|)\r\n"
    assert parse_extended_passive(reply) == 2021


@pytest.mark.parametrize(
    "text",
    [
        "Entering Passive Mode (192,0,2,1,7,229).",
        "Entering Passive Mode (192,0,2,1,7,229)",
        "Entering Passive Mode 192,0,2,1,7,229",
        "192,0,2,1,7,229",
        "=192,0,2,1,7,229 is yours",
        "Passive (192, 0, 2, 1, 7, 229)",
        "Passive mode 2 of 3 (192,0,2,1,7,229)",
    ],
)
def test_227_is_read_with_or_without_parentheses(text: str) -> None:
    assert parse_passive(Reply.of(227, text)) == V4


@pytest.mark.parametrize(
    "reply",
    [
        Reply.of(227, "Entering Passive Mode"),
        Reply.of(227, "(1,2,3,4,5)"),
        Reply.of(227, "(1,2,3,4,5,256)"),
        Reply.of(227, "(1,2,3,400,5,6)"),
        Reply.of(227, "(1,2,3,4,0,0)"),
        Reply.of(227, "(1,2,3,4,5,6000)"),
        Reply.of(200, "(1,2,3,4,5,6)"),
        Reply(227, (b"227",)),
    ],
)
def test_an_unusable_227_is_an_error(reply: Reply) -> None:
    with pytest.raises(ReplyError, match="no address"):
        parse_passive(reply)


@pytest.mark.parametrize("text", ["(!!!2021!)", "(|||2021|)", "ok (x) (|||2021|) (|||1|)"])
def test_229_is_read_with_any_delimiter(text: str) -> None:
    assert parse_extended_passive(Reply.of(229, text)) == 2021


@pytest.mark.parametrize(
    "reply",
    [
        Reply.of(229, "ok"),
        Reply.of(229, "(|||0|)"),
        Reply.of(229, "(|||65536|)"),
        Reply.of(229, "(||2021|)"),
        Reply.of(229, "(|||2021!)"),
        Reply.of(227, "(|||2021|)"),
    ],
)
def test_an_unusable_229_is_an_error(reply: Reply) -> None:
    with pytest.raises(ReplyError, match="no port"):
        parse_extended_passive(reply)


@pytest.mark.parametrize("told", ["203.0.113.9", "10.0.0.9", "0.0.0.0", "127.0.0.1", "8.8.8.8"])
def test_data_goes_to_the_control_peer_whatever_was_told(told: str) -> None:
    assert reachable(told, "8.8.4.4") == "8.8.4.4"
    assert reachable(told, "::ffff:8.8.4.4") == "8.8.4.4"


@pytest.mark.parametrize(
    ("told", "peer", "host"),
    [
        ("8.8.8.8", "8.8.4.4", "8.8.8.8"),
        ("8.8.8.8", "10.0.0.1", "8.8.8.8"),
        ("10.0.0.9", "10.0.0.1", "10.0.0.9"),
        ("10.0.0.9", "8.8.4.4", "8.8.4.4"),
        ("0.0.0.0", "10.0.0.1", "10.0.0.1"),
        ("127.0.0.1", "10.0.0.1", "10.0.0.1"),
    ],
)
def test_a_server_trusted_to_send_us_elsewhere_may_not_send_us_inside(
    told: str, peer: str, host: str
) -> None:
    assert reachable(told, peer, foreign=True) == host


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("2001:db8::1", "2001:0db8::1"),
        ("fe80::1", "fe80::1%eth0"),
    ],
)
def test_data_may_go_to_the_client_itself(host: str, client: str) -> None:
    check_active(Endpoint(host, 1024), client)


@pytest.mark.parametrize("host", ["192.0.2.2", "0.0.0.0", "127.0.0.1", "2001:db8::1"])
def test_a_bounce_to_another_host_is_refused(host: str) -> None:
    with pytest.raises(Refused, match=r"own address \(192\.0\.2\.1\)") as caught:
        check_active(Endpoint(host, 2021), "192.0.2.1")
    assert caught.value.reply.code == 501


@pytest.mark.parametrize("port", [1, 20, 25, 1023])
def test_a_privileged_port_is_refused(port: int) -> None:
    with pytest.raises(Refused, match="1024") as caught:
        check_active(Endpoint("192.0.2.1", port), "192.0.2.1")
    assert caught.value.reply.code == 501


def test_refusals_fit_one_line_of_120_characters() -> None:
    client = "2001:db8:1111:2222:3333:4444:5555:6666"
    with pytest.raises(Refused) as caught:
        check_active(V6, client)
    assert len(caught.value.reply.lines[0]) <= 120
