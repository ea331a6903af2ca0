"""The pulse measures the loop and remembers how full it was."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from proxy.ops import pulse as module
from proxy.ops.metrics.tally import Tally
from proxy.ops.pulse import Pulse
from tests.support.house import House, house
from tests.support.scripted import scripted


@pytest.fixture
async def home() -> AsyncIterator[House]:
    async with scripted() as server, house(server) as home:
        yield home


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
async def pulse(home: House, tally: Tally, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pulse]:
    monkeypatch.setattr(module, "BEAT", 0.001)
    pulse = Pulse(lambda: home.app.servers, tally, lambda: 77.0)
    yield pulse
    pulse.stop()


def beats(tally: Tally) -> int:
    return sum(tally.histograms["loop_lag_seconds"][()].counts)


async def test_it_begins_with_a_sample_of_now(pulse: Pulse, home: House) -> None:
    pulse.start()
    (sample,) = pulse.history
    assert (sample.at, sample.limit, sample.open, sample.waiting) == (77.0, 100, 0, 0)


async def test_each_beat_is_measured_and_every_second_one_remembered(
    pulse: Pulse, tally: Tally, home: House
) -> None:
    pulse.start()
    await home.until(lambda: beats(tally) >= 7)
    assert len(pulse.history) == (beats(tally) + 1) // 2


async def test_it_forgets_what_is_older_than_a_quarter_of_an_hour(pulse: Pulse) -> None:
    assert pulse._history.maxlen == 900


async def test_stopped_it_beats_no_more(pulse: Pulse) -> None:
    pulse.start()
    pulse.stop()
    assert pulse._handle is not None
    assert pulse._handle.cancelled()
