"""Reloads of several processes: what becomes of one is the same for all of them. Pure.

In two steps: everybody judges what the file says, which is to do whatever can fail, and tells how
that went; when the last one has, all go on by it, or nobody does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import Final

from proxy.events import ReloadRefused

from .message import Outcome, Word, message

PATIENCE: Final = 30.0  # seconds for all to judge: a long file takes its time
SILENT: Final = "it does not answer"
ENDING: Final = ReloadRefused(("it is shutting down",))
NOBODY: Final = ReloadRefused(("no worker is there",))


class Reloads:
    """One after the other, each begun by `reread`; `tell` brings a message to a process."""

    def __init__(
        self,
        reread: Callable[[], None],
        decided: Callable[[Outcome], None],
        tell: Callable[[int, bytes], None],
    ) -> None:
        self._reread = reread
        self._decided = decided
        self._tell = tell
        self._is_due = False
        self._askers: set[int] = set()  # who wants to know how the next one goes
        self._number = 0
        self._consent: Consent | None = None  # to the one that goes on
        self._hearers: set[int] = set()  # who is told what becomes of it
        self._is_over = False

    @property
    def goes_on(self) -> bool:
        """Tell whether one was begun and is not decided."""
        return self._consent is not None

    @property
    def due(self) -> float:
        """When (on the clock) there is something to do at the latest, if nobody says anything."""
        if self._consent is not None:
            return self._consent.due
        return -inf if self._is_due else inf

    def ask(self, asker: int | None = None) -> None:
        """Have one begin as soon as the last one is over: the file may have changed meanwhile."""
        self._is_due = not self._is_over
        if asker is not None:
            self._askers.add(asker)
        if self._is_over:
            self._decide(self._askers, ENDING)

    def advance(self, members: Iterable[int], now: float) -> None:
        """Begin what is due with these, or end what nobody is waited for any more."""
        if self._is_due and self._consent is None:
            self._begin(Consent(members, now + PATIENCE))
        if (consent := self._consent) is not None and consent.is_over(now):
            self._consent = None
            self._decided(consent.outcome)
            self._decide(self._hearers, consent.outcome)

    def answered(self, number: int, member: int, outcome: Outcome) -> None:
        """Hear what would become of the reload of this number there; of an older one it is late."""
        if self._consent is not None and number == self._number:
            self._consent.answered(member, outcome)

    def lost(self, member: int, why: str) -> None:
        """Wait no longer for one that has ended."""
        if self._consent is not None:
            self._consent.lost(member, why)
        self._askers.discard(member)
        self._hearers.discard(member)

    def end(self) -> None:
        """Refuse what goes on and what is to come: all are told to end."""
        self._is_over = True
        self._consent, self._is_due = None, False
        for hearers in (self._hearers, self._askers):
            self._decide(hearers, ENDING)

    def _decide(self, hearers: set[int], outcome: Outcome) -> None:
        for hearer in hearers:
            self._tell(hearer, message(Word.DECIDED, self._number, outcome))
        hearers.clear()

    def _begin(self, consent: Consent) -> None:
        self._consent = consent
        self._is_due = False
        self._number = (self._number + 1) % 256
        self._hearers, self._askers = self._askers | consent.members, set()
        self._reread()
        for member in consent.members:
            self._tell(member, message(Word.JUDGE, self._number))


class Consent:
    """What the members have answered so far; who has not by `due` refuses."""

    def __init__(self, members: Iterable[int], due: float) -> None:
        self.members = frozenset(members)
        self.due = due
        self._answers: dict[int, Outcome] = {}

    def answered(self, member: int, outcome: Outcome) -> None:
        """Hear what would become of it there: only the first word counts."""
        if member in self.members:
            self._answers.setdefault(member, outcome)

    def lost(self, member: int, why: str) -> None:
        """Expect nothing more of one; what it has said still counts."""
        self.answered(member, ReloadRefused((why,)))

    def is_over(self, now: float) -> bool:
        """Tell whether there is nobody left to wait for."""
        return len(self._answers) == len(self.members) or now >= self.due

    @property
    def outcome(self) -> Outcome:
        """What becomes of it: what all say is told once, what some say with their numbers."""
        answers = {one: self._answers.get(one, ReloadRefused((SILENT,))) for one in self.members}
        refused = {one: told for one, told in answers.items() if isinstance(told, ReloadRefused)}
        if not refused:
            return answers[min(answers)] if answers else NOBODY
        if len(refused) == len(answers) and len(set(refused.values())) == 1:
            return next(iter(refused.values()))
        return ReloadRefused(
            tuple(
                f"worker {one + 1}: {problem}"
                for one, told in sorted(refused.items())
                for problem in told.problems
            )
        )
