"""Byte budgets against a ledger of every byte moved: never above the rate, and nothing leaks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.shaping.bandwidth import DEPTH, LONGEST_GRANT, ROUND, Bandwidth, Flow

RATES = {"a": 1_000_000, "b": 300_000, "c": None}
WEIGHTS = {"a": 1.0, "b": 40.0, "c": 0.5}
TOTAL = 1_100_000
GRAIN = 0.005
LATE = 0.0005  # no timer is early

sources = st.sampled_from(sorted(RATES))
steps = st.lists(
    st.tuples(
        st.sampled_from(["join", "ask", "ask", "ask", "leave", "time"]), sources, st.integers(0, 9)
    ),
    max_size=120,
)


class Mill:
    """Transfers that ask, move a part of what they get, and leave at any moment."""

    def __init__(self, total: int = TOTAL) -> None:
        self.now = 100.0
        self.bandwidth = Bandwidth(total, self.now)
        self.flows: list[tuple[str, Flow]] = []
        self.moved: list[tuple[float, str, int, Flow]] = []

    def join(self, source: str) -> Flow:
        flow = self.bandwidth.join(source, RATES[source], WEIGHTS[source], self.now)
        self.flows.append((source, flow))
        return flow

    def source_of(self, flow: Flow) -> str:
        return next(source for source, other in self.flows if other is flow)

    def use(self, flow: Flow, granted: int, tenths: int) -> None:
        """Move so many tenths of a grant; the rest goes back."""
        moved = granted * tenths // 10
        self.bandwidth.refund(flow, granted - moved)
        self.moved.append((self.now, self.source_of(flow), moved, flow))

    def step(self, what: str, source: str, which: int) -> None:
        match what:
            case "join":
                self.join(source)
            case "ask" | "leave" if not self.flows:
                pass
            case "ask":
                _, flow = self.flows[which % len(self.flows)]
                if granted := self.bandwidth.ask(flow, self.now):
                    self.use(flow, granted, which + 1)
            case "leave":
                _, flow = self.flows.pop(which % len(self.flows))
                self.bandwidth.leave(flow)
            case _:
                self.pass_time((which + 1) / 100, which)

    def pass_time(self, seconds: float, tenths: int) -> None:
        """Let time pass, and whoever waited move a part of its grant."""
        self.now += seconds
        while (flow := self.bandwidth.next_grant(self.now)) is not None:
            self.use(flow, self.bandwidth.fetch(flow), tenths)
        moment = self.bandwidth.wake_at(self.now)
        assert moment is None or moment >= self.now

    def grind(self, seconds: float) -> None:
        """Let every transfer move all it can get, as the throttle does."""
        end = self.now + seconds
        hungry = [flow for _, flow in self.flows]
        while self.now < end:
            for flow in hungry:
                while granted := self.bandwidth.fetch(flow) or self.bandwidth.ask(flow, self.now):
                    self.use(flow, granted, 10)
            moment = self.bandwidth.wake_at(self.now)
            if moment is None:
                return
            self.now = max(moment, self.now + GRAIN) + LATE
            hungry = []
            while (granted_to := self.bandwidth.next_grant(self.now)) is not None:
                hungry.append(granted_to)

    def bytes_of(self, source: str, since: float) -> int:
        return sum(moved for at, whose, moved, _ in self.moved if at >= since and whose == source)


def assert_never_above(moved: list[tuple[float, int]], rate: int) -> None:
    """No window holds more than its share of the rate and what one idle bucket saves up."""
    # Of all windows those with the least slack matter: start by start, a running sum will do.
    credit, last = rate * DEPTH, moved[0][0] if moved else 0.0
    for at, count in moved:
        credit = min(rate * DEPTH, credit + (at - last) * rate) - count
        last = at
        assert credit >= -1.0


@given(steps)
def test_no_window_of_time_sees_more_than_the_rate_allows(
    history: list[tuple[str, str, int]],
) -> None:
    mill = Mill()
    for what, source, which in history:
        mill.step(what, source, which)
    assert_never_above([(at, moved) for at, _, moved, _ in mill.moved], TOTAL)
    for source, rate in RATES.items():
        if rate is not None:
            its = [(at, moved) for at, whose, moved, _ in mill.moved if whose == source]
            assert_never_above(its, rate)


@given(steps, sources)
def test_whatever_was_refunded_or_cancelled_nothing_leaks(
    history: list[tuple[str, str, int]], source: str
) -> None:
    mill = Mill()
    for what, whose, which in history:
        mill.step(what, whose, which)
    for _, flow in mill.flows:
        mill.bandwidth.leave(flow)
    mill.flows.clear()
    mill.join(source)
    mill.grind(0.3)  # what was saved up is spent
    since = mill.now
    mill.grind(10.0)
    rate = min(TOTAL, RATES[source] or TOTAL)
    assert 0.98 <= mill.bytes_of(source, since) / (rate * (mill.now - since)) <= 1.02


@given(steps, st.integers(1, 30))
def test_every_waiting_transfer_is_served_within_two_rounds(
    history: list[tuple[str, str, int]], more: int
) -> None:
    mill = Mill()
    for what, source, which in history:
        mill.step(what, source, which)
    for _ in range(more):
        mill.join("b")
    mill.grind(2 * ROUND)  # first those who waited already
    before = len(mill.moved)
    mill.grind(2 * ROUND)
    served = {flow for _, _, moved, flow in mill.moved[before:] if moved}
    assert served == {flow for _, flow in mill.flows}


@given(st.integers(1, 20), st.integers(1, 200), st.sampled_from([0.1, 1.0, 20.0]))
def test_sources_share_the_total_by_weight_however_many_transfers_each_has(
    few: int, many: int, weight: float
) -> None:
    mill = Mill()
    for source, count, its in (("few", few, weight), ("many", many, 1.0)):
        for _ in range(count):
            flow = mill.bandwidth.join(source, None, its, mill.now)
            mill.flows.append((source, flow))
    mill.grind(0.3)  # what was saved up goes to whoever comes first
    since = mill.now
    mill.grind(4.0)
    ratio = mill.bytes_of("few", since) / mill.bytes_of("many", since)
    assert 0.95 <= ratio / weight <= 1.05
    for source in ("few", "many"):
        each = {flow: 0 for whose, flow in mill.flows if whose == source}
        for at, whose, moved, flow in mill.moved:
            if at >= since and whose == source:
                each[flow] += moved
        assert max(each.values()) - min(each.values()) <= TOTAL * LONGEST_GRANT  # one grant
