"""Flows counted from the kernel's events."""

from __future__ import annotations

from loadtest.lab.flows import Tally


def event(moment: float, kind: str, left: int | None, source: str = "10.0.0.1") -> str:
    state = "" if left is None else f"{left} SOME_STATE "
    return (
        f"[{moment:.6f}\t]    [{kind}] tcp      6 {state}src={source} dst=10.0.0.2 sport=4000 "
        f"dport=21 src=10.0.0.2 dst={source} sport=21 dport=4000"
    )


def test_a_flow_counts_until_the_time_of_its_last_state_is_over() -> None:
    tally = Tally()
    tally.told(event(100.0, "NEW", 120))
    tally.told(event(101.0, "UPDATE", 5))
    tally.forget_expired(105.9)
    assert tally.by_source["10.0.0.1"] == 1
    tally.forget_expired(106.0)
    assert tally.by_source["10.0.0.1"] == 0
    assert tally.most == 1


def test_a_destroyed_flow_is_gone_at_once() -> None:
    tally = Tally()
    tally.told(event(100.0, "NEW", 120))
    tally.told(event(101.0, "DESTROY", None))
    assert tally.by_source["10.0.0.1"] == 0


def test_flows_from_before_the_watch_are_not_counted() -> None:
    tally = Tally()
    tally.told(event(100.0, "UPDATE", 120))
    assert (tally.most, dict(tally.opened)) == (0, {})


def test_addresses_are_counted_apart() -> None:
    tally = Tally()
    assert tally.told(event(100.0, "NEW", 120)) == "10.0.0.1"
    assert tally.told(event(101.0, "NEW", 120, source="10.0.0.9")) == "10.0.0.9"
    assert tally.most == 1
    assert tally.opened == {"10.0.0.1": [100.0], "10.0.0.9": [101.0]}


def test_what_is_no_event_is_passed_over() -> None:
    assert (
        Tally().told("conntrack v1.4.7 (conntrack-tools): 3 flow events have been shown.") is None
    )
