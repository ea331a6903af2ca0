"""The limit per minute and the caps, against a list of everything that ever started."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.shaping.quota import MINUTE, Limits, Quotas

KEY = ("everyone", "10.0.0.1")


def in_any_minute(starts: list[float]) -> int:
    """Find the most starts in any 60 seconds; the fullest window opens with a start."""
    return max(sum(1 for at in starts if first <= at < first + MINUTE) for first in starts)


@given(
    cap=st.integers(1, 5),
    gaps=st.lists(st.integers(0, 400).map(lambda n: n / 8), min_size=1, max_size=60),
)
def test_no_minute_sees_more_starts_than_allowed_and_none_waits_without_need(
    cap: int, gaps: list[float]
) -> None:
    quotas, limits, now, starts = Quotas(), Limits(transfers_per_minute=cap), 0.0, list[float]()
    for gap in gaps:
        now += gap
        wait = quotas.transfer_wait(KEY, limits, now)
        assert wait is not None
        would_fit = in_any_minute([*starts, now]) <= cap
        assert (wait == 0.0) == would_fit
        if wait:
            assert in_any_minute([*starts, now + wait - 1 / 8]) > cap
            now += wait
            assert quotas.transfer_wait(KEY, limits, now) == 0.0
        quotas.start_transfer(KEY, limits, now)
        quotas.end_transfer(KEY)
        starts.append(now)
    assert in_any_minute(starts) <= cap


@given(
    sessions=st.integers(1, 3),
    transfers=st.integers(1, 3),
    steps=st.lists(st.sampled_from(["enter", "leave", "start", "end"]), max_size=60),
)
def test_counts_stay_within_their_caps_and_end_at_nothing(
    sessions: int, transfers: int, steps: list[str]
) -> None:
    quotas, limits = Quotas(), Limits(sessions, transfers)
    inside = running = 0
    for step in steps:
        match step:
            case "enter":
                let_in = quotas.enter_session(KEY, limits)
                assert let_in == (inside < sessions)
                inside += let_in
            case "leave" if inside:
                quotas.leave_session(KEY)
                inside -= 1
            case "start" if quotas.transfer_wait(KEY, limits, 0.0) is not None:
                quotas.start_transfer(KEY, limits, 0.0)
                running += 1
            case "end" if running:
                quotas.end_transfer(KEY)
                running -= 1
        assert (quotas.sessions(KEY), quotas.transfers(KEY)) == (inside, running)
        assert running <= transfers
        assert quotas.known == bool(inside or running)
