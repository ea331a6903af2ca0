"""The words for causes, and what a row says of itself."""

from __future__ import annotations

import re

import pytest

from proxy.refusals.reason import TRY_AGAIN, Entry, Example, Reason, Scope


def row(advice: str) -> Entry:
    return Entry(Reason.BUDGET, "Full", None, "Cause.", "Script.", "Operator.", advice=advice)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_its_own_name_in_lower_case(reason: Reason) -> None:
    assert reason.value == reason.name.lower()
    assert str(reason) == reason.value


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_fits_a_metric_and_a_log_field(reason: Reason) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", reason.value)


def test_a_row_ends_a_command_and_advises_to_try_again_unless_it_says_otherwise() -> None:
    entry = Entry(Reason.BUDGET, "Full", None, "Cause.", "Script.", "Operator.")
    assert entry.advice == TRY_AGAIN
    assert entry.scope is Scope.TRANSFER
    assert entry.unit == ""
    assert entry.example == Example()


@pytest.mark.parametrize("advice", [TRY_AGAIN, f"use less, or {TRY_AGAIN}"])
def test_where_one_is_told_to_try_again_waiting_helps(advice: str) -> None:
    assert row(advice).retry_helps


def test_where_one_is_told_something_else_it_does_not() -> None:
    assert not row("correct the password").retry_helps


def test_the_advice_is_what_lftp_looks_for() -> None:
    assert TRY_AGAIN == "try again later"
