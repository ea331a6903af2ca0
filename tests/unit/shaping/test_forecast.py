"""The forecast agrees with the real ledger, and names the limit that decides."""

from __future__ import annotations

import heapq
from dataclasses import replace

import pytest

from proxy.shaping.burst import Burst
from proxy.shaping.forecast import Allowed, Batch, Bound, forecast
from proxy.shaping.ledger import Kind, Ledger, Slot


def played(batch: Batch, allowed: Allowed) -> float:
    """Play the batch through the real ledger and the real pacer, as one source's files in turn."""
    ledger, burst = Ledger(allowed.slots), Burst()
    interval = (batch.duration + allowed.hold) / allowed.slots
    free_sessions = [0.0] * batch.sessions
    now = 0.0
    running: list[tuple[float, int]] = []
    slots: dict[int, Slot] = {}
    for number in range(batch.files):
        now = max(now, heapq.heappop(free_sessions))
        while True:
            while running and running[0][0] <= now:
                end, ended = heapq.heappop(running)
                ledger.close(slots.pop(ended), end, allowed.hold)
            held, used = ledger.held("a", now), ledger.used(now)
            wait = burst.wait(held, used, allowed.slots, now) if allowed.is_paced else 0.0
            slot = ledger.reserve(Kind.DOWNLOAD, "a", now) if wait == 0.0 else None
            if slot is not None:
                break
            chances = [now + wait] if wait else [ledger.next_free(now) or now + batch.duration]
            now = min([*chances, *(end for end, _ in running[:1])])
        if allowed.is_paced:
            burst.took(held, used, allowed.slots, now, interval)
        slots[number] = slot
        heapq.heappush(running, (now + batch.duration, number))
        heapq.heappush(free_sessions, now + batch.duration)
    return now + batch.duration


@pytest.mark.parametrize("files", [1, 7, 20, 40, 60, 100, 401, 1000])
@pytest.mark.parametrize("hold", [0.5, 2.0, 10.5, 60.5])
@pytest.mark.parametrize("sessions", [1, 4, 50])
def test_a_forecast_is_what_the_ledger_does(files: int, hold: float, sessions: int) -> None:
    batch = Batch(files=files, duration=0.25, sessions=sessions)
    allowed = Allowed(slots=40, hold=hold, is_paced=hold >= 3.0)
    told = forecast(batch, allowed).seconds
    # Within a tenth, or within the moment in which the first burst is on its way.
    assert told == pytest.approx(played(batch, allowed), rel=0.1, abs=40 * 0.25 / sessions + 0.3)


def test_in_the_long_run_the_budget_gives_its_slots_once_per_use() -> None:
    told = forecast(
        Batch(files=100_000, duration=1.0, sessions=1000), Allowed(400, 239.0, is_paced=True)
    )
    assert told.rate == pytest.approx(400 / 240)
    assert told.seconds == pytest.approx(60_000, rel=0.01)
    assert told.bound is Bound.BUDGET


def test_a_batch_that_fits_into_the_burst_does_not_wait_for_the_budget() -> None:
    told = forecast(Batch(files=100, duration=1.0, sessions=2), Allowed(400, 240.0, is_paced=True))
    assert told.bound is Bound.SESSIONS
    assert told.seconds == pytest.approx(50)
    assert told.burst == 100


def test_one_source_takes_half_of_an_empty_budget_at_once_and_many_take_more() -> None:
    def burst(sources: int) -> int:
        batch = Batch(files=10_000, duration=1.0, sessions=2, sources=sources)
        return forecast(batch, Allowed(400, 240.0, is_paced=True)).burst

    assert [burst(1), burst(3)] == [200, 300]


def test_short_holds_let_the_whole_budget_go_at_once() -> None:
    told = forecast(Batch(files=10_000, duration=1.0, sessions=2), Allowed(400, 0.5, False))
    assert told.burst == 400


def test_a_minutes_limit_counts_for_each_source() -> None:
    def seconds(sources: int) -> float:
        batch = Batch(60, 0.1, sessions=10, sources=sources, transfers_per_minute=10)
        return forecast(batch, None).seconds

    assert seconds(1) == pytest.approx(300, abs=1)
    assert seconds(3) == pytest.approx(60, abs=1)


def test_a_class_that_runs_one_transfer_at_a_time_binds_before_the_sessions() -> None:
    told = forecast(Batch(10, 2.0, sessions=5, transfers=1), None)
    assert told.bound is Bound.CLASS_TRANSFERS
    assert told.seconds == pytest.approx(20)


def test_without_a_budget_everything_goes_at_once() -> None:
    assert forecast(Batch(50, 1.0, sessions=50), None).burst == 50


@pytest.mark.parametrize("wrong", ["files", "sessions", "sources", "duration"])
def test_nonsense_is_refused(wrong: str) -> None:
    batch = Batch(files=1, duration=1.0, sessions=1)
    with pytest.raises(ValueError, match="at least one|takes some time"):
        replace(batch, **{wrong: 0})
