"""The soak finds a leak that was planted, and none where there is none.

Ten minutes of it: `python -m loadtest soak`; its figures are in docs/RELIABILITY.md.
"""

from __future__ import annotations

import asyncio

import pytest

from loadtest.soak.command import run

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(120)]

SECONDS, WARM_UP, EVERY = 20, 8, 0.25
FAR_LESS = 25


def test_a_planted_leak_is_found_and_named() -> None:
    outcome = asyncio.run(run(SECONDS, WARM_UP, every=EVERY, module="tests.support.leaky"))
    assert {"memory", "descriptors", "tasks"} <= set(outcome.soak.rising)
    assert "descriptors rises" in outcome.failures
    grown = {held.level.name: held.trend.ends - held.trend.begins for held in outcome.soak.held}
    assert min(grown["descriptors"], grown["tasks"]) > FAR_LESS


def test_the_proxy_holds_no_more_at_the_end_than_at_the_beginning() -> None:
    outcome = asyncio.run(run(SECONDS, WARM_UP, every=EVERY))
    # Memory warms up for a minute, sessions and slots follow the machine's other work: only longer
    # runs can tell. What leaks loses far more than these in so short a time (see above).
    grown = {held.level.name: held.trend.ends - held.trend.begins for held in outcome.soak.held}
    assert max(grown["descriptors"], grown["tasks"], grown["threads"]) < FAR_LESS
    assert outcome.served.correctness.corrupt == []
    assert outcome.served.served.success == 1
    assert outcome.soak.transfers > 200
