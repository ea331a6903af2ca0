"""Which server a client means, by how it came in and by the name it gives."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.choice import chooser
from proxy.config import Address, Config
from proxy.refusals import Declined
from proxy.session.backend import Entrance

FRONT, SIDE = Address("127.0.0.1", 2121), Address("127.0.0.1", 2122)


def chosen(
    user: bytes,
    *matches: dict[str, Any],
    listen: Address = FRONT,
    wanted: str | None = None,
) -> tuple[str, bytes]:
    """Choose among servers named a, b, ... with these matches."""
    config = Config.model_validate(
        {
            "upstream": {"host": "ftp.example.com"},
            "servers": [
                {"name": name, "match": match, "upstream": {"host": name}}
                for name, match in zip("abc", matches, strict=False)
            ],
        }
    )
    return chooser(config.servers, config.upstream.host)(Entrance(listen, wanted), user)


def test_a_server_may_be_known_by_the_address_that_was_asked_for() -> None:
    match = {"redirected": ["192.0.2.8", "198.51.100.0/24"]}
    assert chosen(b"bob", match, wanted="192.0.2.8") == ("a", b"bob")
    assert chosen(b"bob", match, wanted="198.51.100.9") == ("a", b"bob")
    assert chosen(b"bob", match, wanted="192.0.2.9") == ("", b"bob")
    assert chosen(b"bob", match) == ("", b"bob")


def test_without_other_servers_a_name_is_taken_as_it_is() -> None:
    assert chosen(b"bob@example.com") == ("", b"bob@example.com")


def test_a_server_may_have_a_listener_of_its_own() -> None:
    match = {"listen": [str(SIDE)]}
    assert chosen(b"bob", match, listen=SIDE) == ("a", b"bob")
    assert chosen(b"bob", match) == ("", b"bob")


def test_a_server_may_have_its_logins_and_the_first_that_fits_counts() -> None:
    matches = {"user": ["b*"]}, {"user": ["bob", "carol"]}
    assert chosen(b"bob", *matches) == ("a", b"bob")
    assert chosen(b"carol", *matches) == ("b", b"carol")
    assert chosen(b"dave", *matches) == ("", b"dave")


def test_everything_that_a_match_gives_must_fit() -> None:
    match = {"listen": [str(SIDE)], "user": ["b*"]}
    assert chosen(b"bob", match, listen=SIDE) == ("a", b"bob")
    assert chosen(b"bob", match) == ("", b"bob")
    assert chosen(b"carol", match, listen=SIDE) == ("", b"carol")


@pytest.mark.parametrize("host", [b"ftp2", b"FTP2", b"x.ftp2.example.com"])
def test_a_host_behind_the_name_is_cut_off(host: bytes) -> None:
    match = {"host": ["ftp2", "*.ftp2.Example.com"]}
    assert chosen(b"bob@" + host, match) == ("a", b"bob")


def test_the_last_at_sign_counts() -> None:
    match = {"host": ["ftp2"]}
    assert chosen(b"bob@example.com@ftp2", match) == ("a", b"bob@example.com")


def test_a_host_and_a_login_are_matched_each_by_itself() -> None:
    match = {"host": ["ftp2"], "user": ["b*"]}
    assert chosen(b"bob@ftp2", match) == ("a", b"bob")
    with pytest.raises(Declined):
        chosen(b"carol@ftp2", match)


@pytest.mark.parametrize("user", [b"bob@elsewhere", b"bob@", b"bob@ftp2@elsewhere", b"@ftp2"])
def test_where_hosts_are_named_any_other_is_declined(user: bytes) -> None:
    with pytest.raises(Declined):
        chosen(user, {"host": ["ftp2"]})


def test_the_host_of_the_top_level_names_its_server() -> None:
    assert chosen(b"bob@FTP.example.com", {"host": ["ftp2"]}) == ("", b"bob")
    assert chosen(b"bob", {"host": ["ftp2"]}) == ("", b"bob")


def test_logins_that_look_like_addresses_can_have_a_server_beside_those_with_hosts() -> None:
    matches = {"user": ["*@example.com"]}, {"host": ["ftp2"]}
    assert chosen(b"bob@example.com", *matches) == ("a", b"bob@example.com")
    assert chosen(b"bob@ftp2", *matches) == ("b", b"bob")


def test_any_bytes_may_be_a_name() -> None:
    assert chosen(b"b\xff\x00b", {"user": ["b*"]}) == ("a", b"b\xff\x00b")
    with pytest.raises(Declined):
        chosen(b"bob@\xff\n", {"host": ["ftp2"]})
