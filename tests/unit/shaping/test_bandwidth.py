"""Grants one by one; rates, leaks and fairness are in tests/property/test_bandwidth.py."""

from __future__ import annotations

import pytest

from proxy.shaping.bandwidth import (
    DEPTH,
    FEW,
    LARGEST_GRANT,
    LONGEST_GRANT,
    Bandwidth,
    Bucket,
    Flow,
)

RATE = 1_000_000
SAVED = int(RATE * DEPTH)
GRANT = int(RATE * LONGEST_GRANT)


def emptied(bandwidth: Bandwidth, flow: Flow, now: float) -> int:
    """Take all that can be had now; return how much that was."""
    taken = 0
    while granted := bandwidth.ask(flow, now):
        taken += granted
    return taken


def test_an_idle_bucket_saves_up_no_more_than_its_depth() -> None:
    bandwidth = Bandwidth(RATE, 0.0)
    flow = bandwidth.join("a", None, 1.0, 0.0)
    assert emptied(bandwidth, flow, 1000.0) == SAVED


def test_a_grant_is_due_exactly_when_its_bytes_are_earned() -> None:
    bandwidth = Bandwidth(None, 0.0)
    flow = bandwidth.join("a", RATE, 1.0, 0.0)
    emptied(bandwidth, flow, 0.0)
    due = bandwidth.wake_at(0.0)
    assert due == pytest.approx(LONGEST_GRANT)
    assert bandwidth.next_grant(LONGEST_GRANT - 0.001) is None
    assert bandwidth.next_grant(LONGEST_GRANT + 0.001) is flow
    assert bandwidth.fetch(flow) == GRANT
    assert bandwidth.fetch(flow) == 0
    assert bandwidth.wake_at(1.0) is None


def test_what_did_not_move_can_be_had_again_at_once() -> None:
    bandwidth = Bandwidth(2 * RATE, 0.0)
    flow = bandwidth.join("a", RATE, 1.0, 0.0)
    emptied(bandwidth, flow, 0.0)
    bandwidth.leave(flow)
    other = bandwidth.join("a", RATE, 1.0, 0.0)
    bandwidth.refund(other, GRANT)
    assert bandwidth.ask(other, 0.0) == GRANT
    assert bandwidth.ask(other, 0.0) == 0


def test_a_grant_cancelled_before_it_is_fetched_is_refunded() -> None:
    bandwidth = Bandwidth(None, 0.0)
    flow, other = (bandwidth.join("a", RATE, 1.0, 0.0) for _ in range(2))
    emptied(bandwidth, flow, 0.0)
    assert bandwidth.next_grant(0.021) is flow
    bandwidth.leave(flow)
    bandwidth.leave(flow)
    assert bandwidth.ask(other, 0.021) == GRANT


def test_who_leaves_the_line_is_not_granted_anything() -> None:
    bandwidth = Bandwidth(RATE, 0.0)
    first, second = (bandwidth.join(name, None, 1.0, 0.0) for name in "ab")
    emptied(bandwidth, first, 0.0)
    assert bandwidth.ask(second, 0.0) == 0
    assert bandwidth.ask(second, 0.0) == 0  # asking again changes nothing
    bandwidth.leave(first)
    assert bandwidth.next_grant(1.0) is second
    assert bandwidth.next_grant(1.0) is None
    assert bandwidth.wake_at(1.0) is None


def test_who_has_had_more_is_served_after_who_has_had_less() -> None:
    bandwidth = Bandwidth(RATE, 0.0)
    first, second = (bandwidth.join(name, None, 1.0, 0.0) for name in "ab")
    emptied(bandwidth, first, 0.0)
    assert bandwidth.ask(second, 1.0) == 0  # it is there, but others wait: nobody overtakes
    assert [bandwidth.next_grant(1.0) for _ in range(2)] == [second, first]


def test_a_source_held_by_its_own_rate_holds_up_nobody_else() -> None:
    bandwidth = Bandwidth(RATE, 0.0)
    slow = bandwidth.join("slow", 1000, 1.0, 0.0)
    emptied(bandwidth, slow, 0.0)
    fast = bandwidth.join("fast", None, 1.0, 0.0)
    assert bandwidth.ask(fast, 0.0)
    assert bandwidth.wake_at(0.0) == pytest.approx(0.02)


def test_the_transfers_of_a_source_take_turns() -> None:
    bandwidth = Bandwidth(None, 0.0)
    flows = [bandwidth.join("a", RATE, 1.0, 0.0) for _ in range(3)]
    emptied(bandwidth, flows[0], 0.0)
    for flow in flows[1:]:
        assert bandwidth.ask(flow, 0.0) == 0
    assert [bandwidth.next_grant(0.09) for _ in range(4)] == [*flows, None]


def test_grants_shrink_when_many_share_so_that_nobody_stalls() -> None:
    bandwidth = Bandwidth(None, 0.0)
    flows = [bandwidth.join("a", RATE, 1.0, 0.0) for _ in range(200)]
    assert bandwidth.ask(flows[0], 0.0) == RATE // 4 // 200


def test_the_lowest_rate_still_moves_a_byte() -> None:
    bandwidth = Bandwidth(None, 0.0)
    flow = bandwidth.join("a", 1, 1.0, 0.0)
    assert emptied(bandwidth, flow, 0.0) == 1
    assert bandwidth.next_grant(0.5) is None
    assert bandwidth.next_grant(1.001) is flow


def test_a_changed_rate_holds_for_the_whole_source_at_once() -> None:
    bandwidth = Bandwidth(None, 0.0)
    flow = bandwidth.join("a", RATE, 1.0, 0.0)
    bandwidth.join("a", RATE // 10, 1.0, 0.0)
    assert emptied(bandwidth, flow, 0.0) == SAVED // 10
    bandwidth.join("a", None, 1.0, 0.0)
    assert bandwidth.next_grant(0.1) is flow
    assert bandwidth.fetch(flow) == LARGEST_GRANT
    bandwidth.join("a", RATE, 1.0, 0.1)
    assert emptied(bandwidth, flow, 0.1) == SAVED


def test_a_rate_that_falls_while_its_source_is_next_lets_it_rest() -> None:
    bandwidth = Bandwidth(RATE, 0.0)
    first, second = (bandwidth.join(name, RATE, 1.0, 0.0) for name in "ab")
    emptied(bandwidth, first, 0.0)
    assert bandwidth.ask(second, 0.0) == 0  # only the total keeps it waiting
    bandwidth.refund(first, 0)
    second.share.bucket = Bucket(1, 0.0)
    second.share.bucket.spend(1)
    assert bandwidth.next_grant(0.5) is first
    assert bandwidth.next_grant(0.5) is None
    assert bandwidth.next_grant(1.001) is second


def test_the_total_may_come_change_and_go() -> None:
    bandwidth = Bandwidth(None, 0.0)
    flow = bandwidth.join("a", None, 1.0, 0.0)
    assert not bandwidth.has_total
    assert bandwidth.ask(flow, 0.0) == LARGEST_GRANT
    bandwidth.limit_total(RATE, 0.0)
    assert emptied(bandwidth, flow, 0.0) == SAVED
    bandwidth.limit_total(10 * RATE, 0.0)
    assert bandwidth.next_grant(0.05) is flow
    assert bandwidth.fetch(flow) == 10 * GRANT
    bandwidth.ask(flow, 0.05)
    bandwidth.limit_total(None, 0.05)
    assert bandwidth.ask(flow, 0.05) == LARGEST_GRANT


def test_a_source_is_remembered_until_its_bucket_is_full_again() -> None:
    bandwidth = Bandwidth(None, 0.0)
    for number in range(FEW):
        flow = bandwidth.join(number, RATE, 1.0, 0.0)
        bandwidth.ask(flow, 0.0)
        bandwidth.leave(flow)
    bandwidth.join("one more", RATE, 1.0, 0.001)
    assert bandwidth.known == FEW + 1
    for number in range(FEW - 1):  # the next walk is due when there are twice as many
        bandwidth.join(("new", number), None, 1.0, 0.001)
    bandwidth.join("at last", RATE, 1.0, 10.0)
    assert bandwidth.known == FEW + 1


def test_nothing_is_spent_that_is_not_there() -> None:
    bucket = Bucket(RATE, 0.0)
    with pytest.raises(ValueError, match="not there"):
        bucket.spend(SAVED + 1)
