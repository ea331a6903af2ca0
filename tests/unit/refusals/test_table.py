"""The table is complete, and every row fits the one line a client is shown."""

from __future__ import annotations

import re

import pytest

from proxy.config import keys
from proxy.refusals import LONGEST, REFUSALS, Entry, Reason, Refusal, Scope
from proxy.refusals.refusal import HIGHEST_NUMBER, LONGEST_REF

ENTRIES = list(REFUSALS.values())
each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.reason)


def test_every_reason_has_one_row_under_its_own_name() -> None:
    assert set(REFUSALS) == set(Reason)
    assert all(REFUSALS[reason].reason is reason for reason in Reason)


@each_entry
def test_a_row_tells_cause_and_both_remedies(entry: Entry) -> None:
    assert all(text.endswith(".") for text in (entry.cause, entry.script, entry.operator))


@each_entry
def test_an_opening_is_printable_ascii_and_starts_with_a_word(entry: Entry) -> None:
    # A line that starts with digits could be taken for another reply's code.
    assert entry.sentence.isascii()
    assert entry.sentence.isprintable()
    assert entry.sentence[0].isalpha()


@each_entry
def test_a_row_fits_with_its_setting_and_the_longest_end(entry: Entry) -> None:
    setting = f" ({entry.setting})" if entry.setting else ""
    advice = f"{entry.advice}: about {HIGHEST_NUMBER} s" if entry.retry_helps else entry.advice
    end = f", {advice}. Ref {'x' * LONGEST_REF}"
    assert len(entry.sentence) + len(setting) + len(end) <= LONGEST


@each_entry
def test_an_ordinary_count_is_never_left_out(entry: Entry) -> None:
    refusal = Refusal(entry.reason, ref="7f3a9c", used=999, limit=999, retry=999)
    assert "(999 of 999" in refusal.sentence()


@pytest.mark.parametrize(
    "reason",
    [Reason.CLASS_SESSIONS, Reason.UPSTREAM_SESSIONS, Reason.BUDGET, Reason.DESCRIPTORS],
)
def test_a_connection_limit_opens_with_the_words_lftp_reacts_to(reason: Reason) -> None:
    assert Refusal(reason, ref="7f3a").sentence().startswith("Too many connections")


@pytest.mark.parametrize(
    "reason",
    [
        Reason.CLASS_TRANSFERS,
        Reason.CLASS_RATE,
        Reason.BUDGET,
        Reason.QUEUE_FULL,
        Reason.QUEUE_WAIT,
        Reason.ETA_TOO_LONG,
        Reason.PASSIVE_PORTS,
        Reason.CLIENT_DATA,
        Reason.UPSTREAM_DATA,
    ],
)
def test_a_load_limit_on_transfers_leaves_the_login_alone(reason: Reason) -> None:
    assert REFUSALS[reason].scope is Scope.TRANSFER


@each_entry
def test_every_key_that_a_row_names_is_a_real_setting(entry: Entry) -> None:
    told = " ".join([f"`{entry.setting}`", entry.cause, entry.script, entry.operator])
    named = re.findall(r"`((?:[a-z]+\.)+[a-z_]+)[`:]", told)
    assert set(named) <= set(keys())
    assert entry.setting is None or entry.setting in keys()
