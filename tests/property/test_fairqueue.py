"""Laws of the fair queue over any history."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from proxy.shaping.fairqueue import FairQueue, Ticket

WEIGHTS = {"a": 1.0, "b": 2.0, "c": 0.5, "d": 4.0}

sources = st.sampled_from(sorted(WEIGHTS))
# What may befall a queue: somebody comes, leaves, comes back, is served, or pays afterwards.
pushes = st.tuples(st.just("push"), sources)
serves = st.tuples(st.just("serve"), st.integers(0, 3))
removals = st.tuples(st.just("remove"), st.integers(0, 99))
returns = st.tuples(st.just("return"), st.integers(0, 99))
charges = st.tuples(st.just("charge"), sources)
histories = st.lists(st.one_of(pushes, pushes, serves, removals, returns, charges), max_size=80)
without_returns = st.lists(st.one_of(pushes, pushes, serves, removals, charges), max_size=80)


class Story:
    """A queue and what happened to it."""

    def __init__(self) -> None:
        self.queue: FairQueue[int] = FairQueue()
        self.waiting: list[Ticket[int]] = []
        self.gone: list[Ticket[int]] = []
        self.served: list[Ticket[int]] = []
        self.pushed = 0

    def push(self, source: str, tag: float | None = None) -> Ticket[int]:
        ticket = self.queue.push(self.pushed, source, WEIGHTS[source], 0.0, tag=tag)
        self.pushed += 1
        self.waiting.append(ticket)
        return ticket

    def serve(self, place: int) -> None:
        heads = self.queue.heads()
        ticket = heads[place % len(heads)]
        self.queue.serve(ticket)
        self.waiting.remove(ticket)
        self.served.append(ticket)

    def step(self, what: str, which: str | int) -> None:
        match what, which:
            case "push", str(source):
                self.push(source)
            case "charge", str(source):
                self.queue.charge(source, 1.5, WEIGHTS[source])
            case "serve", int(place) if self.waiting:
                self.serve(place)
            case "remove", int(pick) if self.waiting:
                ticket = self.waiting.pop(pick % len(self.waiting))
                self.queue.remove(ticket)
                self.gone.append(ticket)
            case "return", int(pick) if self.gone:
                ticket = self.gone.pop(pick % len(self.gone))
                self.push(ticket.source, ticket.tag)


def tell(history: list[tuple[str, str | int]]) -> Story:
    story = Story()
    for what, which in history:
        story.step(what, which)
    return story


@given(histories)
def test_every_ticket_is_waiting_served_or_gone(history: list[tuple[str, str | int]]) -> None:
    story = tell(history)
    assert len(story.queue) == len(story.waiting)
    counts = Counter(ticket.source for ticket in story.waiting)
    assert {source: story.queue.waiting(source) for source in WEIGHTS} == {
        source: counts[source] for source in WEIGHTS
    }
    assert {ticket.source for ticket in story.queue.heads()} == set(counts)


@given(histories)
def test_places_are_told_in_the_order_in_which_turns_then_come(
    history: list[tuple[str, str | int]],
) -> None:
    story = tell(history)
    waiting = sorted(story.waiting, key=lambda ticket: story.queue.position(ticket)[0])
    assert [story.queue.position(ticket)[0] for ticket in waiting] == [
        place for place, _ in enumerate(waiting, 1)
    ]
    for ticket in waiting:
        assert story.queue.heads()[0] is ticket
        assert story.queue.position(ticket) == (1, 1)
        story.serve(0)


@given(without_returns)
def test_inside_a_source_the_first_to_come_is_the_first_served(
    history: list[tuple[str, str | int]],
) -> None:
    story = tell(history)
    while story.waiting:
        story.serve(0)
    for source in WEIGHTS:
        arrivals = [ticket.seq for ticket in story.served if ticket.source == source]
        assert arrivals == sorted(arrivals)


@given(histories, sources)
def test_who_comes_back_before_anything_happens_has_its_old_place(
    history: list[tuple[str, str | int]], source: str
) -> None:
    story = tell(history)
    ticket = story.push(source)
    before = story.queue.position(ticket)
    story.push("a")
    story.queue.remove(ticket)
    back = story.push(source, ticket.tag)
    assert story.queue.position(back)[1] <= before[1]


@given(without_returns)
def test_a_newcomer_waits_for_at_most_one_turn_of_each_other_source(
    history: list[tuple[str, str | int]],
) -> None:
    story = tell(history)
    others = len(story.queue.heads())
    newcomer = story.queue.push(-1, "newcomer", 0.1, 0.0)
    assert story.queue.position(newcomer)[0] <= others + 1


@given(without_returns, st.integers(1, 200))
def test_shares_of_those_who_keep_waiting_follow_the_weights_within_one_turn(
    history: list[tuple[str, str | int]], turns: int
) -> None:
    story = tell(history)
    while story.waiting:
        story.serve(0)
    for source in WEIGHTS:
        for _ in range(turns):
            story.push(source)
    before = len(story.served)
    for _ in range(turns):
        story.serve(0)
    counts = Counter(ticket.source for ticket in story.served[before:])
    shares = {source: counts[source] / weight for source, weight in WEIGHTS.items()}
    for one, share in shares.items():
        for other, its in shares.items():
            assert share - its <= 1 / WEIGHTS[one] + 1 / WEIGHTS[other] + 1e-9


@given(histories)
def test_an_empty_queue_remembers_nobody(history: list[tuple[str, str | int]]) -> None:
    story = tell(history)
    while story.waiting:
        story.serve(0)
    assert story.queue.known == 0
