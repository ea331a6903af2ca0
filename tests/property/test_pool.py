"""Laws of the shared pool, over any interleaving of clients, answers, aborts and disappearances."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from proxy.events import Fault
from proxy.machine import loop_factory
from tests.support.house import house
from tests.support.misdeeds import spits
from tests.support.ports import give_back, lend
from tests.support.puppet import Puppet
from tests.support.scripted import GREETING, scripted
from tests.support.witness import Witness

pytestmark = pytest.mark.timeout(240)

# Passes of the loop after which all that was sent has been read: loopback delivers at once.
ROUND = 4

SEATS = st.integers(0, 2)
LATE = 3  # the first seat of those who come while the server takes no more
PICKS = st.integers(0, 7)
ROUNDS = st.integers(1, ROUND)
USERS = st.sampled_from(["ann", "ann", "ben"])
GUESSES = st.sampled_from([0, 0, 0, 1])  # wrong passwords
CUTS = st.sampled_from(["abort", "reset", "fin"])
DEEDS = st.one_of(
    st.sampled_from(["get 0", "get 0", "get 30", "put", "list", "rename", "miss"]),
    st.sampled_from(["move a", "move b", "move up", "move home", "move nowhere"]),
    st.sampled_from(["type I", "type A", "ask MDTM", "ask SIZE", "ask DELE"]),
)


class World:
    """The proxy, the witness behind it, and the clients before it, all in one loop."""

    def __init__(self) -> None:
        self.limit = 0
        self._over = asyncio.Event()
        self.is_there = False
        self.puppets: dict[int, Puppet] = {}
        self._born = 0

    async def exist(self, limit: int, data: str, pipelining: str) -> None:
        """Run until `end`; leaving the house checks that nothing was left behind."""
        self.limit = limit
        # Enough for every transfer of an example: a port that the server was offered rests a while.
        ports = lend()
        upstream = {"sessions": limit, "data": data, "pipelining": pipelining}
        upstream["ports"] = f"{ports[0]}-{ports[-1]}"
        async with (
            scripted() as server,
            house(
                server,
                upstream=upstream,
                budget={"connections": 100, "enforce": "off"},
                login={"delay": 0.0, "attempts": 1000},
            ) as self.house,
            asyncio.TaskGroup() as self._tasks,
        ):
            self.witness = Witness(server, limit)
            self.is_there = True
            await self._over.wait()
        give_back(ports)

    async def appear(self, life: asyncio.Task[None]) -> None:
        """Return once everything is up; a life that ends before that has failed."""
        while not self.is_there:
            await asyncio.sleep(0)
            if life.done():
                life.result()

    def arrive(self, seat: int, user: str, guesses: int) -> Puppet:
        """Let a new client connect."""
        self._born += 1
        source = f"127.0.0.{2 + seat % 2}"
        name = f"c{self._born}"
        puppet = Puppet(name, user, source, self.house.port, self.witness, guesses=guesses)
        self.puppets[seat] = puppet
        self._tasks.create_task(puppet.live())
        return puppet

    async def rounds(self, count: int) -> None:
        """Let the loop go round."""
        for _ in range(count):
            await asyncio.sleep(0)

    async def until(self, true: Callable[[], object], what: str) -> None:
        """Wait for something to come true with the server answering freely."""
        self.witness.turns.free(True)
        try:
            await self.house.until(true)
        except TimeoutError:
            raise AssertionError(f"standstill: {what} {self.witness.complaints}") from None

    async def rest(self) -> None:
        """Let every client finish what it does, with the server answering freely."""
        puppets = self.puppets.values()
        await self.until(lambda: all(p.over or p.is_idle for p in puppets), "clients at rest")
        self.witness.turns.free(False)

    async def recover(self) -> None:
        """Take new sessions again, and wait until the proxy asks for them again."""
        self.witness.server.once.clear()
        await self.until(lambda: self.house.egresses[0].pool.trouble is None, "trouble is over")
        self.witness.turns.free(False)

    async def end(self) -> None:
        """Let everybody finish and go, then check what remains."""
        for puppet in self.puppets.values():
            puppet.wish("quit")
        await self.until(
            lambda: all(puppet.over for puppet in self.puppets.values()),
            "clients that neither end nor are refused",
        )
        await self.house.until_quiet()
        self._over.set()


class PoolMachine(RuleBasedStateMachine):
    """Up to three clients before one to three sessions."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner(loop_factory=loop_factory())
        self._loop = self._runner.get_loop()
        self.users: set[str] = set()
        self.excuses = 0  # logins that cannot be helped
        self.falters = False  # the server will take no more for a moment, some time
        self.world = World()

    @initialize(
        limit=st.integers(1, 3),
        data=st.sampled_from(["passive", "active", "auto"]),
        pipelining=st.sampled_from(["off", "on"]),
        falters=st.booleans(),
    )
    def begin(self, limit: int, data: str, pipelining: str, falters: bool) -> None:
        self.falters = falters
        self._life = self._loop.create_task(self.world.exist(limit, data, pipelining))
        self._run(self.world.appear(self._life))

    # What may happen.

    @rule(seat=SEATS, user=USERS, guesses=GUESSES, deeds=st.lists(DEEDS, max_size=3))
    def a_client_works(self, seat: int, user: str, guesses: int, deeds: list[str]) -> None:
        puppet = self._at(seat, user, guesses)
        for deed in deeds:
            puppet.wish(deed)
        self._pass_time(1)

    @rule(picks=st.lists(PICKS, min_size=1, max_size=12), rounds=ROUNDS)
    def the_server_answers(self, picks: list[int], rounds: int) -> None:
        for pick in picks:
            self.world.witness.turns.grant(pick)
            self._pass_time(rounds)

    @rule(user=USERS, count=st.integers(2, 3), picks=st.lists(PICKS, min_size=8, max_size=20))
    def several_download_the_same_way(self, user: str, count: int, picks: list[int]) -> None:
        """With nothing to replay: one has the session as soon as the other's data has come."""
        for seat in range(count):
            puppet = self._at(seat, user, 0)
            puppet.wish("move home")
            puppet.wish("get 0")
        self.the_server_answers(picks, 1)

    @rule()
    def everybody_finishes(self) -> None:
        self._run(self.world.rest())

    @rule(seat=SEATS, user=USERS, deed=DEEDS, picks=st.lists(PICKS, max_size=9), cut=CUTS)
    def a_deed_is_cut(self, seat: int, user: str, deed: str, picks: list[int], cut: str) -> None:
        """After so many answers of the server, to whomever, the client breaks off."""
        puppet = self._at(seat, user, 0)
        puppet.wish(deed)
        self._pass_time(1)
        self.the_server_answers(picks, 1)
        if not puppet.over:
            puppet.cut(cut)
            self._pass_time(1)

    @rule(seat=SEATS, cut=CUTS)
    def a_client_breaks_off(self, seat: int, cut: str) -> None:
        puppet = self.world.puppets.get(seat)
        if puppet is not None and not puppet.over:
            puppet.cut(cut)
            self._pass_time(1)

    @rule(pick=PICKS)
    def the_server_hangs_up(self, pick: int) -> None:
        """On a session that nobody uses: no client may notice."""
        self._run(self.world.rest())
        if self.world.witness.hang_up(pick):
            self.excuses += 1
            for puppet in self.world.puppets.values():
                puppet.may_lose_session()
            self._pass_time(1)

    @precondition(lambda self: self.falters)
    @rule(count=st.integers(1, 3), failures=st.integers(1, 2))
    def the_server_takes_no_more_for_a_moment(self, count: int, failures: int) -> None:
        """Who comes then, with a login of its own, may be turned away; nobody else may notice."""
        self.falters = False  # it takes its time: once is enough
        self._run(self.world.rest())
        self.world.witness.server.plan(GREETING, *[spits(b"SSH-2.0-x\r\n")] * failures)
        for seat in range(LATE, LATE + count):
            newcomer = self.world.arrive(seat, "cid", 0)
            newcomer.may_be_turned_away()
            newcomer.wish("quit")
            self.excuses += 2  # its own login, and that of whoever made room for it
        self._run(self.world.rest())
        self._run(self.world.recover())

    @rule(seat=SEATS)
    def a_client_pins(self, seat: int) -> None:
        # One who keeps a session for itself must not be the reason why others never get one.
        pinned = sum(p.is_pinned and not p.over for p in self.world.puppets.values())
        puppet = self.world.puppets.get(seat)
        if puppet is not None and not puppet.over and pinned + 1 < self.world.limit:
            puppet.is_pinned = True
            puppet.wish("pin")
            self.excuses += 1

    # What must hold.

    @invariant()
    def no_law_is_broken(self) -> None:
        if self.world.is_there:
            assert not self.world.witness.complaints, self.world.witness.complaints
            assert self.world.witness.sessions <= self.world.limit

    def teardown(self) -> None:
        try:
            if self.world.is_there:
                self._end(self.world)
        finally:
            self._runner.close()

    def _end(self, world: World) -> None:
        self._run(world.end())
        self._run(self._life)
        self.no_law_is_broken()
        assert world.house.told(Fault) == []
        if len(self.users) == 1:
            witness = world.witness
            logins = witness.server.logins - witness.abandoned
            assert logins <= world.limit + self.excuses

    def _at(self, seat: int, user: str, guesses: int) -> Puppet:
        """Return the client in this seat, a new one if it is empty."""
        puppet = self.world.puppets.get(seat)
        if puppet is None or puppet.over:
            self.users.add(user)
            self.excuses += guesses
            puppet = self.world.arrive(seat, user, guesses)
        return puppet

    def _pass_time(self, rounds: int) -> None:
        self._run(self.world.rounds(rounds * ROUND))

    def _run(self, work: Awaitable[object]) -> None:
        self._loop.run_until_complete(work)


TestPool = PoolMachine.TestCase
TestPool.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    # Each conversation is a real one: to shrink it would take minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
