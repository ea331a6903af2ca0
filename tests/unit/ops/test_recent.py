"""What happened lately: bounded, the latest first, and explained."""

from __future__ import annotations

import dataclasses

from proxy.events import StoreBack, StoreLost
from proxy.ops.recent import Recent
from proxy.ops.snapshot import MOST_REFUSALS
from proxy.refusals import REFUSALS, Reason

from .examples import BANNED, DOWN, FAULT, OPENED, REFUSED, SESSION, transfer


def test_refusals_are_told_the_latest_first_with_cause_and_remedy() -> None:
    now = [100.0]
    recent = Recent(lambda: now[0])
    recent(REFUSED)
    now[0] = 101.0
    recent(dataclasses.replace(REFUSED, ref="later"))
    first, second = recent.refusals
    assert (first.at, first.ref, second.at) == (101.0, "later", 100.0)
    assert first.cause == REFUSALS[Reason.ETA_TOO_LONG].cause
    assert first.remedy == REFUSALS[Reason.ETA_TOO_LONG].operator


def test_however_many_refusals_come_few_are_kept() -> None:
    recent = Recent(lambda: 0.0)
    for _ in range(MOST_REFUSALS + 50):
        recent(REFUSED)
    assert len(recent.refusals) == MOST_REFUSALS
    assert recent.totals.refusals == MOST_REFUSALS + 50


def test_trouble_is_over_once_a_session_was_had_but_not_forgotten() -> None:
    recent = Recent(lambda: 5.0)
    recent(DOWN)
    assert recent.trouble is not None
    assert not recent.trouble.is_over
    recent(OPENED)
    assert (recent.trouble.words, recent.trouble.is_over) == ("Connection refused", True)


def test_trouble_with_the_server_at_the_top_is_told_before_that_with_another() -> None:
    recent = Recent(lambda: 5.0)
    recent(dataclasses.replace(DOWN, server="b"))
    assert recent.trouble is not None
    assert recent.trouble.server == "b"
    recent(DOWN)
    assert recent.trouble.server == ""
    recent(OPENED)
    assert (recent.trouble.server, recent.trouble.is_over) == ("b", False)


def test_a_lost_store_is_told_until_it_is_back() -> None:
    recent = Recent(lambda: 0.0)
    recent(StoreLost("Connection refused", "closed"))
    assert recent.store_lost == "closed"
    recent(StoreBack(3.0))
    assert recent.store_lost == ""


def test_totals_count_everything() -> None:
    recent = Recent(lambda: 0.0)
    for event in (transfer(), transfer(result="stalled"), SESSION, OPENED, BANNED, FAULT):
        recent(event)
    totals = recent.totals
    assert (totals.transfers, totals.transfers_failed, totals.bytes_moved) == (2, 1, 2000)
    assert (totals.sessions, totals.logins, totals.bans, totals.faults) == (1, 1, 1, 1)
