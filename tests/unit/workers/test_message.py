"""What parent and children write is read as it was meant, and always fits."""

from __future__ import annotations

import pytest

from proxy.events import Reloaded, ReloadRefused
from proxy.workers.message import LONGEST, Outcome, Word, message, outcome_in


def test_a_word_without_an_outcome_is_two_bytes() -> None:
    assert message(Word.SERVES) == bytes([Word.SERVES, 0])


@pytest.mark.parametrize(
    "outcome",
    [
        Reloaded(("queue.max_wait",), ("weir.yaml:3:1: warning: a wörd",)),
        Reloaded((), ()),
        ReloadRefused(("weir.yaml:2:16: budget.connections: at least 1",)),
    ],
)
def test_an_outcome_arrives_as_it_was_sent(outcome: Outcome) -> None:
    told = message(Word.JUDGED, 7, outcome)
    assert (told[0], told[1]) == (Word.JUDGED, 7)
    assert outcome_in(told) == outcome


@pytest.mark.parametrize("lines", [100_000, 1])
def test_of_too_many_words_as_many_are_told_as_fit(lines: int) -> None:
    line = "x" * (LONGEST // lines)
    told = message(Word.DECIDED, 0, ReloadRefused((line,) * lines))
    assert len(told) <= LONGEST
    outcome = outcome_in(told)
    assert isinstance(outcome, ReloadRefused)
    assert set(outcome.problems) <= {line}
    assert bool(outcome.problems) == (lines > 1)
