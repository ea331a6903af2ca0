"""Reloads of several: all or nobody, whoever refuses, is silent, ends or comes late."""

from __future__ import annotations

from math import inf

from proxy.events import Reloaded, ReloadRefused
from proxy.workers.message import Outcome, Word, outcome_in
from proxy.workers.reloads import ENDING, NOBODY, PATIENCE, SILENT, Reloads

CAN = Reloaded(("queue.max_wait",), ())
CANNOT = ReloadRefused(("cannot listen",))
DESK = 2


class Crew:
    """Those who reload, seen from the parent: what each was told, and what has happened."""

    def __init__(self, *members: int) -> None:
        self.members = members
        self.told: list[tuple[int, Word, int]] = []
        self.outcomes: list[tuple[int, Outcome]] = []
        self.deeds: list[object] = []
        self.reloads = Reloads(lambda: self.deeds.append("reread"), self.deeds.append, self._tell)

    def _tell(self, member: int, message: bytes) -> None:
        self.told.append((member, Word(message[0]), message[1]))
        if message[0] == Word.DECIDED:
            self.outcomes.append((member, outcome_in(message)))

    def advance(self, now: float = 0.0) -> None:
        self.reloads.advance(self.members, now)


def asked(*members: int) -> Crew:
    """Have them judge reload number 1."""
    crew = Crew(*members)
    crew.reloads.ask()
    crew.advance()
    assert crew.told == [(member, Word.JUDGE, 1) for member in members]
    assert crew.deeds == ["reread"]
    return crew


def test_nothing_happens_unasked() -> None:
    crew = Crew(0, 1)
    crew.advance()
    assert crew.told == []
    assert not crew.reloads.goes_on


def test_all_go_on_when_the_last_one_can() -> None:
    crew = asked(0, 1)
    crew.reloads.answered(1, 0, CAN)
    crew.advance()
    assert crew.outcomes == []
    assert crew.reloads.goes_on
    crew.reloads.answered(1, 1, CAN)
    crew.advance()
    assert crew.outcomes == [(0, CAN), (1, CAN)]
    assert crew.deeds == ["reread", CAN]
    assert not crew.reloads.goes_on


def test_nobody_goes_on_if_one_cannot() -> None:
    crew = asked(0, 1)
    crew.reloads.answered(1, 0, CAN)
    crew.reloads.answered(1, 1, CANNOT)
    crew.advance()
    refused = ReloadRefused(("worker 2: cannot listen",))
    assert crew.outcomes == [(0, refused), (1, refused)]


def test_what_all_say_is_told_once() -> None:
    crew = asked(0, 1)
    for member in (0, 1):
        crew.reloads.answered(1, member, CANNOT)
    crew.advance()
    assert crew.deeds[-1] == CANNOT


def test_who_is_silent_for_too_long_refuses() -> None:
    crew = asked(0, 1)
    crew.reloads.answered(1, 0, CAN)
    crew.advance(PATIENCE)
    assert crew.deeds[-1] == ReloadRefused((f"worker 2: {SILENT}",))


def test_it_tells_when_it_is_to_be_looked_at_though_nobody_says_anything() -> None:
    crew = Crew(0)
    dues = [crew.reloads.due]
    crew.reloads.ask()
    dues.append(crew.reloads.due)
    crew.advance(now=7.0)
    dues.append(crew.reloads.due)
    crew.reloads.answered(1, 0, CAN)
    crew.advance()
    dues.append(crew.reloads.due)
    assert dues == [inf, -inf, 7.0 + PATIENCE, inf]


def test_an_answer_to_an_older_reload_counts_for_nothing() -> None:
    crew = asked(0)
    crew.advance(PATIENCE)
    crew.reloads.ask()
    crew.advance(PATIENCE)
    crew.reloads.answered(1, 0, CANNOT)
    crew.reloads.answered(2, 0, CAN)
    crew.advance(PATIENCE)
    assert crew.deeds[-1] == CAN
    crew.reloads.answered(2, 0, CANNOT)
    crew.advance(PATIENCE)
    assert crew.deeds[-1] == CAN


def test_one_that_ends_before_it_has_answered_refuses_and_is_told_nothing() -> None:
    crew = asked(0, 1)
    crew.reloads.answered(1, 0, CAN)
    crew.reloads.lost(1, "it has ended with -9")
    crew.advance()
    assert crew.outcomes == [(0, ReloadRefused(("worker 2: it has ended with -9",)))]


def test_one_that_ends_after_it_has_answered_stops_nobody() -> None:
    crew = asked(0, 1)
    crew.reloads.answered(1, 1, CAN)
    crew.reloads.lost(1, "it has ended with -9")
    crew.reloads.answered(1, 0, CAN)
    crew.advance()
    assert crew.outcomes == [(0, CAN)]


def test_who_asks_meanwhile_is_told_of_the_next_one() -> None:
    crew = asked(0)
    crew.reloads.ask(DESK)
    crew.reloads.answered(1, 0, CAN)
    crew.advance()
    assert crew.outcomes == [(0, CAN)]
    crew.advance()
    crew.reloads.answered(2, 0, CANNOT)
    crew.advance()
    assert crew.outcomes[1:] == [(0, CANNOT), (DESK, CANNOT)]


def test_an_asker_that_has_ended_is_told_nothing() -> None:
    crew = Crew(0)
    crew.reloads.ask(DESK)
    crew.reloads.lost(DESK, "it has ended with 1")
    crew.advance()
    crew.reloads.answered(1, 0, CAN)
    crew.advance()
    assert crew.outcomes == [(0, CAN)]


def test_when_all_end_nobody_goes_on_and_nobody_waits_for_an_answer() -> None:
    crew = asked(0)
    crew.reloads.ask(DESK)
    crew.reloads.end()
    assert dict(crew.outcomes) == {0: ENDING, DESK: ENDING}
    assert not crew.reloads.goes_on
    crew.reloads.ask(DESK)
    crew.reloads.ask()
    crew.advance()
    assert crew.outcomes[2:] == [(DESK, ENDING)]
    assert crew.deeds == ["reread"]


def test_without_a_worker_nothing_is_taken() -> None:
    crew = Crew()
    crew.reloads.ask()
    crew.advance()
    assert crew.deeds == ["reread", NOBODY]


def test_who_was_not_there_when_it_began_has_no_say() -> None:
    crew = asked(0)
    crew.reloads.answered(1, 1, CANNOT)
    crew.reloads.answered(1, 0, CAN)
    crew.advance()
    assert crew.deeds[-1] == CAN
