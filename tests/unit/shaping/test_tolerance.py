from __future__ import annotations

import pytest

from proxy.shaping.holds import PROFILES, Ending
from proxy.shaping.ledger import Kind
from proxy.shaping.tolerance import Enforce, Tolerance

CONNTRACK = PROFILES["conntrack"]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("ending", Ending)
def test_every_hold_has_the_guard_added_and_none_is_longer_than_the_longest(
    kind: Kind, ending: Ending
) -> None:
    told = Tolerance(9, CONNTRACK, guard=0.5)
    assert told.hold(kind, ending) == CONNTRACK.of(kind, ending) + 0.5 <= told.longest_hold


def test_a_listing_that_ends_in_peace_is_the_usual_case() -> None:
    told = Tolerance(9, PROFILES["csf"], guard=0.5)
    assert told.usual_hold == told.hold(Kind.LISTING, Ending.FIN)


def test_unless_told_otherwise_a_budget_is_enforced() -> None:
    assert Tolerance(9, CONNTRACK).enforce is Enforce.ON
