from __future__ import annotations

from proxy.upstream.identity import Credentials
from proxy.upstream.proofs import Proof, Proofs

ALICE = Credentials(b"alice", b"secret").key()


def test_a_login_just_taken_is_vouched_for() -> None:
    proofs = Proofs(60.0)
    proofs.add(ALICE, b"/home/alice", 10.0)
    assert proofs.of(ALICE, 70.0) == Proof(10.0, b"/home/alice")


def test_a_login_taken_too_long_ago_is_not() -> None:
    proofs = Proofs(60.0)
    proofs.add(ALICE, b"/", 10.0)
    assert proofs.of(ALICE, 70.1) is None


def test_another_password_is_another_login() -> None:
    proofs = Proofs(60.0)
    proofs.add(ALICE, b"/", 10.0)
    assert proofs.of(Credentials(b"alice", b"guess").key(), 10.0) is None


def test_what_is_forgotten_vouches_for_nobody() -> None:
    proofs = Proofs(60.0)
    proofs.add(ALICE, b"/", 10.0)
    proofs.forget(ALICE)
    proofs.forget(ALICE)
    assert proofs.of(ALICE, 10.0) is None


def test_all_are_forgotten_together() -> None:
    proofs = Proofs(10.0)
    proofs.add(ALICE, b"/", 1.0)
    proofs.clear()
    assert proofs.of(ALICE, 1.0) is None
