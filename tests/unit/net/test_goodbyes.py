from __future__ import annotations

from proxy.net.goodbyes import Goodbyes


def test_who_never_says_goodbye_is_believed() -> None:
    goodbyes = Goodbyes()
    assert goodbyes.accept(False)
    assert goodbyes.accept(False)


def test_who_said_it_once_must_say_it_always() -> None:
    goodbyes = Goodbyes()
    assert goodbyes.accept(True)
    assert not goodbyes.accept(False)
    assert goodbyes.accept(True)


def test_a_connection_in_clear_has_no_goodbye_and_teaches_nothing() -> None:
    goodbyes = Goodbyes()
    assert goodbyes.accept(None)
    assert goodbyes.accept(False)
