"""Whatever is lent, given back and reconfigured: a port is in one place only, and none is lost."""

from __future__ import annotations

import random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from proxy.net.listener import LATE, Listener, ListenerPool
from tests.support import ports

HOSTS = ("127.0.0.1", "127.0.0.2")
SIZE = 6


class Lending(RuleBasedStateMachine):
    """Ports of real sockets on two addresses; the model counts what each borrower knows."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.window = ports.lend()
        self.range = range(self.window.start, self.window.start + SIZE)
        self.pool = ListenerPool(
            self.range[0],
            self.range[-1],
            clock=lambda: self.now,
            chance=random.Random(7),
            rest=10.0,
            keep=3,
        )
        self.lent: list[Listener] = []
        self.resting: dict[tuple[str, int], float] = {}  # until when

    def teardown(self) -> None:
        for listener in self.lent:
            self.pool.give_back(listener, used=False)
        self.pool.close()
        ports.give_back(self.window)

    @rule(host=st.sampled_from(HOSTS))
    def lend(self, host: str) -> None:
        listener = self.pool.lend(host)
        busy = {one.port for one in self.lent if one.host == host}
        busy |= {port for at, port in self.resting if at == host}
        if listener is None:
            assert busy >= set(self.range)
            return
        assert listener.port in self.range
        assert listener.port not in busy
        self.lent.append(listener)

    @precondition(lambda self: self.lent)
    @rule(data=st.data(), used=st.booleans())
    def give_back(self, data: st.DataObject, used: bool) -> None:
        listener = self.lent.pop(data.draw(st.integers(0, len(self.lent) - 1)))
        self.pool.give_back(listener, used=used)
        rest = self.rest if used else max(self.rest, LATE)
        if rest:
            self.resting[listener.host, listener.port] = self.now + rest

    @rule(seconds=st.sampled_from([0.5, 3.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.resting = {one: until for one, until in self.resting.items() if until > self.now}

    @rule(
        shift=st.integers(0, 2 * SIZE), size=st.integers(1, SIZE), rest=st.sampled_from([0.0, 10.0])
    )
    def adopt(self, shift: int, size: int, rest: float) -> None:
        first = self.window.start + shift
        self.range, self.rest = range(first, first + size), rest
        self.pool.adopt(first, first + size - 1, rest=rest)

    rest = 10.0

    @invariant()
    def counts_agree(self) -> None:
        assert self.pool.lent == len(self.lent)
        assert self.pool.size == len(self.range)
        for host in HOSTS:
            busy = sum(one.host == host for one in self.lent)
            busy += sum(at == host for at, _ in self.resting)
            assert self.pool.busy(host) == busy


TestLending = Lending.TestCase
TestLending.settings = settings(max_examples=60, stateful_step_count=40)
