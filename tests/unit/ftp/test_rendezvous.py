"""Where a client's data may go: asked through the whole dialogue, as a client asks."""

from __future__ import annotations

import pytest

from proxy.ftp.action import OpenPassive, SetActive
from proxy.ftp.address import Endpoint
from tests.support.dialogues import FACTS, do, guest, reply_to, stranger


def test_pasv_asks_nothing_of_the_server() -> None:
    assert do(guest(), "PASV") == OpenPassive(extended=False)
    assert do(guest(), "EPSV") == OpenPassive(extended=True)


def test_pasv_on_ipv6_is_refused_and_names_epsv() -> None:
    dialogue = stranger("2001:db8::7")
    do(dialogue, "USER alice", "PASS secret")
    dialogue.logged_in(b"/", FACTS)
    reply = reply_to(dialogue, "PASV")
    assert (reply.code, "EPSV" in reply.words) == (502, True)
    assert "(2)" in reply_to(dialogue, "EPSV 1").words
    assert do(dialogue, "EPSV 2") == OpenPassive(extended=True)


def test_epsv_for_the_wrong_protocol_is_answered_522() -> None:
    assert reply_to(guest(), "EPSV 2").code == 522
    assert do(guest(), "EPSV 1") == OpenPassive(extended=True)


@pytest.mark.parametrize("delimiter", ["|", "!", "#", "~"])
def test_an_active_port_may_be_told_either_way_with_any_delimiter(delimiter: str) -> None:
    there = SetActive(Endpoint("192.0.2.7", 40000))
    assert do(guest(), "PORT 192,0,2,7,156,64") == there
    assert do(guest(), delimiter.join(["EPRT ", "1", "192.0.2.7", "40000", ""])) == there


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("PORT 192,0,2,8,156,64", 501),
        ("PORT 192,0,2,7,3,255", 501),
        ("EPRT |1|192.0.2.8|40000|", 501),
        ("EPRT |2|2001:db8::7|40000|", 501),
        ("EPRT |9|192.0.2.7|40000|", 522),
    ],
)
def test_data_goes_neither_to_strangers_nor_to_privileged_ports(line: str, code: int) -> None:
    assert reply_to(guest(), line).code == code


def test_epsv_all_is_agreed_here_and_never_forwarded() -> None:
    assert reply_to(guest(), "EPSV ALL").code == 200


def test_epsv_all_holds_through_failed_transfers_aborts_and_new_logins() -> None:
    dialogue = guest()
    do(dialogue, "EPSV ALL", "EPSV", "RETR missing", "ABOR", "REIN", "USER bob", "PASS other")
    dialogue.login_failed()
    do(dialogue, "USER bob", "PASS other")
    dialogue.logged_in(b"/", FACTS)
    for line in ("PASV", "PORT 192,0,2,7,156,64", "EPRT |1|192.0.2.7|40000|"):
        assert reply_to(dialogue, line).code == 501
    assert reply_to(dialogue, "LPRT 1").code == 502
    assert do(dialogue, "EPSV") == OpenPassive(extended=True)
