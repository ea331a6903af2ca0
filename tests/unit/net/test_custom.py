from __future__ import annotations

from proxy.net.custom import Custom


def test_who_has_never_kept_it_is_believed_without() -> None:
    goodbyes = Custom()
    assert goodbyes.accept(False)
    assert goodbyes.accept(False)


def test_who_kept_it_once_must_keep_it_always() -> None:
    goodbyes = Custom()
    assert goodbyes.accept(True)
    assert not goodbyes.accept(False)
    assert goodbyes.accept(True)


def test_a_connection_in_clear_is_no_occasion_and_teaches_nothing() -> None:
    goodbyes = Custom()
    assert goodbyes.accept(None)
    assert goodbyes.accept(False)


def test_what_is_forgotten_is_learned_anew() -> None:
    resumptions = Custom()
    resumptions.accept(True)
    resumptions.forget()
    assert resumptions.accept(False)
    resumptions.accept(True)
    assert not resumptions.accept(False)
