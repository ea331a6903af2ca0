from __future__ import annotations

import asyncio

from proxy.session.roster import Roster


class Visitor:
    """A guest of the test's own, which leaves when it is told to, or only when thrown out."""

    doing = "idle"

    def __init__(self, name: str, roster: Roster, *, polite: bool = True) -> None:
        self.id = name
        self._roster = roster
        self._polite = polite
        self.asked = self.thrown = 0
        roster.arrived(self)

    def ask_to_leave(self) -> None:
        self.asked += 1
        if self._polite:
            asyncio.get_running_loop().call_soon(self._roster.left, self)

    def throw_out(self) -> None:
        self.thrown += 1
        asyncio.get_running_loop().call_soon(self._roster.left, self)


async def test_guests_are_listed_in_order_of_arrival() -> None:
    roster = Roster()
    guests = [Visitor(name, roster) for name in ("b", "a", "c")]
    assert list(roster) == guests
    roster.left(guests[1])
    roster.left(guests[1])
    assert [guest.id for guest in roster] == ["b", "c"]
    assert len(roster) == 2


async def test_an_empty_roster_is_drained_at_once() -> None:
    assert await Roster().drain(0.0) == 0


async def test_polite_guests_leave_when_asked() -> None:
    roster = Roster()
    guests = [Visitor(str(number), roster) for number in range(3)]
    assert await roster.drain(5.0) == 0
    assert all((guest.asked, guest.thrown) == (1, 0) for guest in guests)


async def test_who_stays_too_long_is_thrown_out() -> None:
    roster = Roster()
    polite, stubborn = Visitor("p", roster), Visitor("s", roster, polite=False)
    assert await roster.drain(0.001) == 1
    assert (polite.thrown, stubborn.thrown) == (0, 1)
    assert len(roster) == 0
