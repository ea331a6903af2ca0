from __future__ import annotations

from proxy.gate.demand import Demand
from proxy.gate.request import Scarce
from proxy.upstream.egress import Egress
from tests.support.basin import ALICE, BOB, basin
from tests.support.scripted import scripted

SLOT = Scarce(slot=True, seat=False, proof_serves=False)
SEAT = Scarce(slot=False, seat=True, proof_serves=False)
BOTH = Scarce(slot=True, seat=True, proof_serves=False)
PROOF = Scarce(slot=False, seat=True, proof_serves=True)


def demand(*waiting: Scarce) -> Demand:
    one = Demand(lambda: 2.0)
    for needs in waiting:
        one.joined(needs)
    return one


def test_nobody_who_waits_can_be_served_with_what_it_does_not_need() -> None:
    assert not demand().is_servable(slot=True, seat=True, proof=True)
    assert demand(SLOT).is_servable(slot=True, seat=False, proof=False)
    assert not demand(SLOT).is_servable(slot=False, seat=True, proof=True)
    assert not demand(BOTH).is_servable(slot=True, seat=False, proof=True)
    assert demand(BOTH, SEAT).is_servable(slot=False, seat=True, proof=False)
    assert demand(PROOF).is_servable(slot=False, seat=False, proof=True)


def test_who_has_left_needs_nothing() -> None:
    one = demand(SLOT)
    one.left(SLOT)
    assert not one.is_servable(slot=True, seat=True, proof=True)


def test_all_who_need_a_session_are_counted() -> None:
    assert demand(SEAT, BOTH, SLOT, PROOF).seats() == (3, 2.0)


def test_it_is_known_whether_others_wait() -> None:
    one = demand()
    assert one.is_all_of(ALICE.key())
    one.joined(BOTH, ALICE.key())
    one.joined(SEAT, BOB.key())
    assert not one.is_all_of(ALICE.key())
    one.left(SEAT, BOB.key())
    assert one.is_all_of(ALICE.key())
    assert not one.is_all_of(BOB.key())


async def test_slots_are_wanted_only_where_there_is_a_session_to_use_them() -> None:
    async with scripted() as server, basin(server, sessions=2) as one:
        egress = Egress(None, one.budget, one.pool)
        await one.lease()
        # One place has no control connection yet; of five transfers two can run at once.
        assert demand(*[BOTH] * 5, SLOT, SEAT).slots(egress) == (1 + 1 + 2, 2.0)
