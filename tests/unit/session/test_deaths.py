from __future__ import annotations

import pytest

from proxy.refusals import Declined, Reason
from proxy.session.deaths import Deaths
from proxy.upstream.session import Lost, Silent

LOST, SILENT = Lost("hung up", "Bye."), Silent("silent", "no reply")


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.session.deaths.ENDS_TOGETHER", 0.0)


async def test_one_death_too_many_is_explained_in_the_servers_words() -> None:
    deaths = Deaths(2)
    for _ in range(2):
        await deaths.outlive(LOST)
    with pytest.raises(Declined) as caught:
        await deaths.outlive(LOST)
    assert (caught.value.reason, caught.value.words) == (Reason.UPSTREAM_LOST, "Bye.")


async def test_silence_is_the_end_of_what_may_still_be_done() -> None:
    with pytest.raises(Declined) as caught:
        await Deaths(1).outlive(SILENT)
    assert (caught.value.reason, caught.value.words) == (Reason.UPSTREAM_SILENT, "no reply")


async def test_silence_where_an_answer_takes_no_time_is_a_death() -> None:
    deaths = Deaths(1, silence_counts=True)
    await deaths.outlive(SILENT)
    with pytest.raises(Declined, match=Reason.UPSTREAM_SILENT.value):
        await deaths.outlive(SILENT)
