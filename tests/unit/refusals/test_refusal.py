"""Codes and sentences, as docs/REFUSALS.md promises them."""

from __future__ import annotations

import math

import pytest

from proxy.refusals import LONGEST, REFUSALS, Reason, Refusal, Scope

ADVICE_ONLY = [reason for reason in Reason if not REFUSALS[reason].retry_helps]


def sessions(**fields: object) -> Refusal:
    return Refusal(Reason.CLASS_SESSIONS, "7f3a", **fields)  # type: ignore[arg-type]


def test_the_line_says_what_who_how_much_which_setting_when_and_where_in_the_log() -> None:
    assert sessions(used=4, limit=4, who="bob", retry=300).sentence() == (
        "Too many connections for bob (4 of 4, clients.sessions), "
        "try again later: about 300 s. Ref 7f3a"
    )


def test_what_is_not_known_is_not_said() -> None:
    assert sessions().sentence() == (
        "Too many connections (clients.sessions), try again later. Ref 7f3a"
    )


def test_a_time_limit_carries_its_unit() -> None:
    assert Refusal(Reason.IDLE, "7f3a", limit=300).sentence() == (
        "Idle for too long (limit 300 s, timeouts.idle), connect again when needed. Ref 7f3a"
    )


def test_a_use_without_a_known_limit_stands_alone() -> None:
    assert "(3, clients.sessions)" in sessions(used=3).sentence()


def test_the_time_waited_is_told() -> None:
    refusal = Refusal(Reason.QUEUE_WAIT, "7f3a", who="bob", retry=12, waited=40)
    assert refusal.sentence() == (
        "No place came free in time for bob (waited 40 s, queue.max_wait), "
        "try again later: about 12 s. Ref 7f3a"
    )


def test_the_servers_own_words_are_passed_on_whole_when_they_fit() -> None:
    words = "421 There are too many connections from your internet address."
    refusal = Refusal(Reason.UPSTREAM_REFUSED, "7f3a", words=words, retry=30)
    assert refusal.sentence() == (
        "Server refuses: 421 There are too many connections from your internet address, "
        "try again later: about 30 s. Ref 7f3a"
    )


def test_words_too_long_for_the_line_are_cut_visibly() -> None:
    sentence = Refusal(Reason.UPSTREAM_REFUSED, "7f3a", words="busy " * 100, retry=30).sentence()
    assert "..., try again later: about 30 s. Ref 7f3a" in sentence
    assert len(sentence) <= LONGEST


def test_a_long_name_is_shortened_and_the_limit_still_told() -> None:
    sentence = sessions(used=4, limit=4, who="x" * 500, retry=300).sentence()
    assert sentence.startswith("Too many connections for xxx")
    assert "... (4 of 4, clients.sessions), try again later: about 300 s. Ref 7f3a" in sentence


def test_the_servers_words_leave_no_room_for_a_name() -> None:
    refusal = Refusal(Reason.UPSTREAM_REFUSED, "7f3a", who="bob", words="w" * 500)
    assert " for " not in refusal.sentence()


def test_line_ends_and_escapes_in_a_name_cannot_forge_a_reply() -> None:
    sentence = sessions(who="bob\r\n230 Welcome\x1b[2J\u00e9\t").sentence()
    assert sentence.startswith("Too many connections for bob 230 Welcome?[2J? (")


def test_a_reference_is_kept_to_letters_and_digits() -> None:
    assert Refusal(Reason.FAULT, "7f 3a\n!").sentence().endswith(". Ref 7f3a")


def test_a_missing_reference_is_called_unknown() -> None:
    assert Refusal(Reason.FAULT, "").sentence().endswith(". Ref unknown")


def test_seconds_are_rounded_up_so_that_nobody_returns_too_early() -> None:
    assert "about 3 s." in sessions(retry=2.01).sentence()


def test_a_retry_that_is_due_already_is_still_a_second() -> None:
    assert "about 1 s." in sessions(retry=-5.0).sentence()


@pytest.mark.parametrize("retry", [math.inf, math.nan])
def test_a_time_nobody_can_know_is_not_told(retry: float) -> None:
    assert "try again later. Ref" in sessions(retry=retry).sentence()


@pytest.mark.parametrize("reason", ADVICE_ONLY)
def test_where_waiting_changes_nothing_no_time_is_told(reason: Reason) -> None:
    sentence = Refusal(reason, "7f3a", retry=30).sentence()
    assert "about" not in sentence
    assert "try again later" not in sentence


def test_huge_numbers_do_not_push_the_setting_out() -> None:
    sentence = Refusal(Reason.CLASS_RATE, "7f3a", used=10**30, limit=-3, waited=1e12).sentence()
    assert "clients.transfers_per_minute" in sentence
    assert len(sentence) <= LONGEST


def test_a_refused_session_hears_421_whatever_the_transfer_code() -> None:
    assert sessions().code(425) == 421
    assert sessions().code(450) == 421


@pytest.mark.parametrize("transfer_code", [425, 450, 421])
def test_a_refused_transfer_hears_the_configured_code(transfer_code: int) -> None:
    assert Refusal(Reason.BUDGET, "7f3a").code(transfer_code) == transfer_code


@pytest.mark.parametrize("reason", list(Reason))
def test_a_transfer_that_had_begun_hears_426(reason: Reason) -> None:
    assert Refusal(reason, "7f3a").code(425, preliminary_sent=True) == 426


@pytest.mark.parametrize(("reason", "code"), [(Reason.TLS_LOGIN, 530), (Reason.TLS_DATA, 522)])
def test_a_row_with_a_code_of_its_own_keeps_it(reason: Reason, code: int) -> None:
    assert Refusal(reason, "7f3a").code(425) == code
    assert Refusal(reason, "7f3a", scope=Scope.SESSION).code(421) == code


def test_a_limit_that_stands_in_two_places_names_the_one_that_was_met() -> None:
    refusal = Refusal(Reason.TLS_LOGIN, "7f3a", setting="listen.require")
    assert refusal.sentence() == (
        "A login needs TLS here (listen.require), send AUTH TLS first. Ref 7f3a"
    )


def test_a_listing_never_hears_450() -> None:
    assert Refusal(Reason.BUDGET, "7f3a").code(450, listing=True) == 425
    assert Refusal(Reason.BUDGET, "7f3a").code(421, listing=True) == 421


def test_a_full_queue_met_at_login_is_a_421() -> None:
    refusal = Refusal(Reason.QUEUE_FULL, "7f3a", scope=Scope.SESSION)
    assert refusal.code(425) == 421


def test_a_server_that_is_down_costs_a_transfer_no_login() -> None:
    assert Refusal(Reason.UPSTREAM_DOWN, "7f3a").code(425) == 425


def test_no_setting_is_named_where_none_is_to_blame() -> None:
    refusal = Refusal(Reason.CLIENT_DATA, "7f3a", words="Connection refused", setting="")
    assert refusal.sentence().startswith("Your data connection failed: Connection refused, check")
