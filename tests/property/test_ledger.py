"""The ledger against a count of every slot ever taken, at every instant something happens."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from proxy.shaping.ledger import Kind, Ledger, Slot

# Eighths of a second: floats add them exactly, so boundaries are hit and not just missed.
eighths = st.integers(0, 400).map(lambda n: n / 8)
holds = st.sampled_from([0.0, 0.5, 10.0, 30.0])
sources = st.sampled_from("abc")
steps = st.one_of(
    st.tuples(st.just("reserve"), sources, st.integers(0, 2)),
    st.tuples(st.just("close"), st.integers(0, 9), holds),
    st.tuples(st.just("cancel"), st.integers(0, 9), st.none()),
    st.tuples(st.just("pass"), st.none(), eighths),
)


@dataclass
class Life:
    """One slot as the firewall sees it: used from `start` until `end`, for ever while None."""

    slot: Slot
    start: float
    end: float | None = None

    def counts(self, at: float) -> bool:
        return self.start <= at and (self.end is None or at < self.end)


def count(lives: list[Life], at: float) -> int:
    return sum(life.counts(at) for life in lives)


def kth_opening(lives: list[Life], limit: int, k: int, now: float) -> float | None:
    """Find when k waiters fit in, if all of them stay and no open slot is closed: by trying."""
    ends = sorted(life.end for life in lives if life.end is not None and life.end > now)
    return next((at for at in [now, *ends] if count(lives, at) + k <= limit), None)


def check(ledger: Ledger, lives: list[Life], limit: int, now: float) -> None:
    used = count(lives, now)
    assert used <= limit
    assert ledger.used(now) == used == ledger.open + ledger.cooling(now)
    for source in "abc":
        own = [life for life in lives if life.slot.source == source]
        assert ledger.held(source, now) == count(own, now)
    ends = [life.end for life in lives if life.end is not None and life.end > now]
    assert ledger.next_free(now) == min(ends, default=None)
    for k in range(1, limit + 1):
        opening = kth_opening(lives, limit, k, now)
        if opening is not None:
            assert now + ledger.eta(k, now, 99.0) == opening


def end(ledger: Ledger, lives: list[Life], pick: int, hold: float | None, now: float) -> None:
    alive = [life for life in lives if life.end is None]
    if not alive:
        return
    life = alive[pick % len(alive)]
    if hold is None:
        ledger.cancel(life.slot)
        lives.remove(life)
    else:
        ledger.close(life.slot, now, hold)
        life.end = now + hold


@given(limit=st.integers(1, 4), script=st.lists(steps, max_size=60))
def test_the_budget_is_never_exceeded_and_never_left_unused(
    limit: int, script: list[tuple[str, object, object]]
) -> None:
    ledger, lives, now = Ledger(limit), list[Life](), 0.0
    for step in script:
        match step:
            case ("reserve", str(source), int(spare)):
                used = count(lives, now)
                slot = ledger.reserve(Kind.DOWNLOAD, source, now, spare=spare)
                assert (slot is not None) == (used + spare < limit)
                if slot is not None:
                    lives.append(Life(slot, now))
            case (_, int(pick), float() | None as hold):
                end(ledger, lives, pick, hold, now)
            case (_, _, float(seconds)):
                now += seconds
            case _:
                raise AssertionError(step)
        check(ledger, lives, limit, now)


@given(
    limit=st.integers(1, 4),
    forced=st.integers(0, 8),
    closed=st.lists(holds, max_size=8),
    typical=st.sampled_from([1.0, 20.0, 241.0]),
)
def test_nobody_is_promised_a_slot_before_those_ahead(
    limit: int, forced: int, closed: list[float], typical: float
) -> None:
    ledger = Ledger(limit)
    slots = [ledger.force(Kind.DOWNLOAD, "a", 0.0) for _ in range(forced)]
    for slot, hold in zip(slots, closed, strict=False):
        ledger.close(slot, 0.0, hold)
    etas = [ledger.eta(k, 0.0, typical) for k in range(1, 4 * limit)]
    assert etas == sorted(etas)
    assert all(eta >= 0.0 for eta in etas)
