"""Addresses, ports, hosts and networks: what is read, refused and suggested."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from proxy.config import addresses
from proxy.config.addresses import Address, PortRange, Standby
from proxy.config.units import Misfit


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:2121", Address("127.0.0.1", 2121)),
        ("[::1]:21", Address("::1", 21)),
        ("localhost:0", Address("localhost", 0)),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, address: Address) -> None:
    assert addresses.parse_address(text) == address
    assert str(address) == text
    assert addresses.parse_address(address) is address


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2121", "127.0.0.1:2121"),
        (":2121", "0.0.0.0:2121"),
        ("*:2121", "0.0.0.0:2121"),
        ("::1:2121", "[::1]:2121"),
        ("[127.0.0.1]:21", None),
        ("[::1]", None),
        ("host", None),
        ("host:65536", None),
        ("host:021", None),
        ("a b:21", None),
        ("", None),
        (21, None),
    ],
)
def test_what_is_no_address_is_refused_with_the_likely_meaning(
    text: object, hint: str | None
) -> None:
    with pytest.raises(Misfit, match="expected an address and port") as caught:
        addresses.parse_address(text)
    assert caught.value.hint == hint


def test_a_range_of_ports_includes_both_ends() -> None:
    ports = addresses.parse_ports("50000-50009")
    assert ports == PortRange(50000, 50009)
    assert len(ports) == 10
    assert 50000 in ports
    assert 50009 in ports
    assert 50010 not in ports
    assert str(ports) == "50000-50009"
    assert addresses.parse_ports(ports) is ports


def test_one_port_is_a_range_too() -> None:
    assert addresses.parse_ports("2020") == PortRange(2020, 2020)


@pytest.mark.parametrize(
    ("first", "second", "both"), [((1, 5), (5, 9), True), ((1, 5), (6, 9), False)]
)
def test_ranges_overlap_when_they_share_a_port(
    first: tuple[int, int], second: tuple[int, int], both: bool
) -> None:
    assert PortRange(*first).overlaps(PortRange(*second)) is both
    assert PortRange(*second).overlaps(PortRange(*first)) is both


@pytest.mark.parametrize(
    ("text", "hint"),
    [("9-5", "5-9"), ("0-5", None), ("5-", None), ("5-70000", None), ("a", None), ([], None)],
)
def test_what_is_no_range_of_ports_is_refused(text: object, hint: str | None) -> None:
    with pytest.raises(Misfit, match="expected a range of ports") as caught:
        addresses.parse_ports(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("ftp.example.com", "ftp.example.com"),
        ("ftp.example.com.", "ftp.example.com."),
        ("my_host", "my_host"),
        ("10.0.0.1", "10.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
    ],
)
def test_a_host_is_a_name_or_an_address(text: str, host: str) -> None:
    assert addresses.parse_host(text) == host


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("ftp://ftp.example.com/pub", "ftp.example.com"),
        ("ftp.example.com:21", "ftp.example.com"),
        ("ftp://[::1]", "::1"),
        ("10.1.2", None),
        ("256.1.1.1", None),
        ("a..b", None),
        ("-a", None),
        ("a" * 64, None),
        (".".join(["abc"] * 80), None),
        ("a b", None),
        ("", None),
        (7, None),
    ],
)
def test_what_is_no_host_is_refused_with_the_likely_meaning(text: object, hint: str | None) -> None:
    with pytest.raises(Misfit, match="expected a host name or IP address") as caught:
        addresses.parse_host(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize("text", ["auto", "203.0.113.7"])
def test_the_told_address_is_auto_or_ipv4(text: str) -> None:
    assert addresses.parse_told(text) == text


@pytest.mark.parametrize("text", ["0.0.0.0", "::1", "host", "", 5])
def test_an_address_that_no_227_can_tell_is_refused(text: object) -> None:
    with pytest.raises(Misfit, match="auto or an IPv4 address"):
        addresses.parse_told(text)


@pytest.mark.parametrize("text", ["10.20.0.0/16", "10.0.0.5/32", "fd00::/8"])
def test_a_network_is_read_in_cidr_form(text: str) -> None:
    network = addresses.parse_network(text)
    assert network == ip_network(text)
    assert addresses.parse_network(network) is network


def test_a_single_address_is_a_network_of_one() -> None:
    assert addresses.parse_network("10.0.0.5") == ip_network("10.0.0.5/32")


@pytest.mark.parametrize(
    ("text", "hint"), [("10.20.0.1/16", "10.20.0.0/16"), ("10.20", None), ("", None), (5, None)]
)
def test_what_is_no_network_is_refused(text: object, hint: str | None) -> None:
    with pytest.raises(Misfit, match="expected a network such as") as caught:
        addresses.parse_network(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("host", "told"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("11.1.2.3", False), ("2001:db8::1", True)],
)
def test_an_address_is_within_a_network_in_whatever_form_it_comes(host: str, told: bool) -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))
    assert addresses.is_within(networks, host) is told


def test_a_standby_server_may_have_a_weight() -> None:
    assert addresses.parse_standby("b") == Standby(Address("b", 21))
    heavy = addresses.parse_standby({"server": "b:2121", "weight": "2"})
    assert heavy == Standby(Address("b", 2121), 2.0)
    assert addresses.parse_standby(heavy) is heavy
    assert [str(one) for one in (addresses.parse_standby("b"), heavy)] == [
        "b:21",
        "{server: b:2121, weight: 2}",
    ]


@pytest.mark.parametrize(
    "wrong",
    [{"weight": 2}, {"server": "b", "wieght": 2}, {"server": "b", "weight": 0}, {"server": ""}, 5],
)
def test_a_standby_server_is_nothing_else(wrong: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        addresses.parse_standby(wrong)
