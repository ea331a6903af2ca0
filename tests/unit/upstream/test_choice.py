from __future__ import annotations

import pytest

from proxy.ftp.virtual import State
from proxy.net.server_channel import ServerChannel
from proxy.shaping.ledger import Kind, Ledger
from proxy.upstream.choice import STILL_IN_USE, best_idle, leaves_at
from proxy.upstream.identity import Credentials
from proxy.upstream.seat import Seat, Use
from proxy.upstream.session import UpstreamSession

ALICE = Credentials(b"alice", b"secret")
BOB = Credentials(b"bob", b"secret")


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(100)


def idle(ledger: Ledger, who: Credentials, state: State, since: float) -> Seat:
    """Make a seat that has been idle since then; its session was opened at 0."""
    slot = ledger.reserve(Kind.CONTROL, "", 0.0)
    assert slot is not None
    seat = Seat(slot, Use.IDLE, since)
    seat.session = UpstreamSession(ServerChannel(), 1.0, 0.0)
    seat.session.key = who.key()
    seat.session.state = state
    return seat


async def test_a_session_already_in_the_right_directory_is_best(ledger: Ledger) -> None:
    far = idle(ledger, ALICE, State(b"/x", b"I"), 5.0)
    near = idle(ledger, ALICE, State(b"/a", b"A"), 1.0)
    assert best_idle([far, near], ALICE.key(), State(b"/a", b"I")) is near


async def test_among_equals_the_last_used_is_best(ledger: Ledger) -> None:
    old = idle(ledger, ALICE, State(b"/"), 1.0)
    new = idle(ledger, ALICE, State(b"/"), 2.0)
    assert best_idle([new, old], ALICE.key(), None) is new


async def test_another_login_or_a_lent_session_is_never_chosen(ledger: Ledger) -> None:
    other = idle(ledger, BOB, State(b"/"), 1.0)
    lent = idle(ledger, ALICE, State(b"/"), 1.0)
    lent.become(Use.LENT, 2.0)
    assert best_idle([other, lent], ALICE.key(), None) is None


async def test_a_session_leaves_when_out_of_use_or_long_enough_with_its_login(
    ledger: Ledger,
) -> None:
    seat = idle(ledger, ALICE, State(b"/"), 10.0)
    assert leaves_at(seat, stay=60.0) == 10.0 + STILL_IN_USE
    assert leaves_at(seat, stay=1.0) == 1.0
