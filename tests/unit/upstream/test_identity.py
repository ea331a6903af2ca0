from __future__ import annotations

import itertools

from proxy.upstream.identity import Credentials


def test_equal_logins_have_equal_keys() -> None:
    assert Credentials(b"alice", b"secret").key() == Credentials(b"alice", b"secret").key()


def test_any_difference_makes_another_key() -> None:
    logins = [
        Credentials(b"alice", b"secret"),
        Credentials(b"alice", b"Secret"),
        Credentials(b"alice", b""),
        Credentials(b"alice", b"secret", b""),
        Credentials(b"alice", b"secret", b"account"),
        Credentials(b"Alice", b"secret"),
        Credentials(b"alices", b"ecret"),
        Credentials(b"alice", b"secretaccount"),
        Credentials(b"", b"alicesecret"),
    ]
    for one, other in itertools.combinations(logins, 2):
        assert one.key() != other.key(), (one, other)


def test_numbers_in_a_password_never_pass_for_lengths() -> None:
    assert Credentials(b"a", b"0 1:b").key() != Credentials(b"a0 1:", b"b").key()


def test_nothing_printed_holds_a_password() -> None:
    login = Credentials(b"alice", b"secret", b"account")
    for text in (repr(login), str(login), repr(login.key())):
        assert "alice" in text
        assert "secret" not in text
        assert "account" not in text
    assert b"secret" not in login.key().digest
