"""What the lab makes of a script's misfortunes."""

from __future__ import annotations

from ftplib import error_perm, error_temp

import pytest

from loadtest.lab.crowd import Deed, Outcome, meaning, note


@pytest.mark.parametrize(
    ("error", "deed"),
    [
        (TimeoutError("timed out"), Deed.SILENCE),
        (error_temp("421 Too many connections from the same IP address."), Deed.REFUSED),
        (error_temp("425 Failed to establish connection."), Deed.BROKEN),
        (error_perm("550 No such file."), Deed.BROKEN),
        (EOFError(), Deed.BROKEN),
        (ValueError("the file is not what it should be"), Deed.BROKEN),
    ],
)
def test_a_refusal_a_silence_and_a_failure_are_told_apart(error: Exception, deed: Deed) -> None:
    assert meaning(error) is deed


def test_a_run_in_which_all_get_their_files_is_perfect() -> None:
    outcome = Outcome()
    note(outcome, {"deed": "file", "words": "", "gives up": False, "at": 12.5})
    note(outcome, {"deed": "done", "words": "", "gives up": False, "at": 12.6})
    assert outcome.is_perfect
    assert outcome.moments == [12.5]


def test_a_single_refusal_spoils_it() -> None:
    outcome = Outcome()
    note(outcome, {"deed": "refused", "words": "421 Not now.", "gives up": False, "at": 1.0})
    assert not outcome.is_perfect
    assert outcome.words == {"421 Not now.": 1}
    assert outcome.given_up == {}
