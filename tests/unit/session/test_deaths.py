from __future__ import annotations

import pytest

from proxy.refusals import Declined, Reason
from proxy.session.deaths import explain_declined, explain_lost, outlive
from proxy.upstream.session import Lost, Silent

LOST, SILENT = Lost("hung up", "Bye."), Silent("silent", "no reply")


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.session.deaths.ENDS_TOGETHER", 0.0)


async def test_one_death_too_many_is_explained_in_the_servers_words() -> None:
    deaths = 0
    for _ in range(2):
        deaths = await outlive(LOST, deaths, most=2)
    with pytest.raises(Declined) as caught:
        await outlive(LOST, deaths, most=2)
    assert (caught.value.reason, caught.value.words) == (Reason.UPSTREAM_LOST, "Bye.")


async def test_silence_is_the_end_of_what_may_still_be_done() -> None:
    with pytest.raises(Declined) as caught:
        await outlive(SILENT, 0)
    assert (caught.value.reason, caught.value.words) == (Reason.UPSTREAM_SILENT, "no reply")


async def test_silence_where_an_answer_takes_no_time_is_a_death() -> None:
    deaths = await outlive(SILENT, 0, silence_counts=True)
    with pytest.raises(Declined, match=Reason.UPSTREAM_SILENT.value):
        await outlive(SILENT, deaths, silence_counts=True)


def test_who_finds_no_second_session_hears_what_became_of_the_first() -> None:
    full, late = Declined(Reason.UPSTREAM_SESSIONS), Declined(Reason.BUDGET)
    death = explain_lost(SILENT)
    assert death.reason is Reason.UPSTREAM_SILENT
    assert explain_declined(full, death) is death
    assert explain_declined(late, death) is late
    assert explain_declined(full, None) is full
