from __future__ import annotations

from proxy.refusals import Reason
from proxy.upstream.dial import DialError, TurnedAway
from proxy.upstream.troubles import FIRST_BACKOFF, FRESH, LONGEST_BACKOFF, ROW, Troubles


def test_each_refusal_doubles_the_wait_up_to_the_longest() -> None:
    troubles = Troubles()
    waits = [troubles.was_full("full", 0.0) for _ in range(10)]
    assert waits[:3] == [FIRST_BACKOFF, 2 * FIRST_BACKOFF, 4 * FIRST_BACKOFF]
    assert waits[-1] == LONGEST_BACKOFF


def test_a_full_server_is_asked_again_when_the_wait_is_over() -> None:
    troubles = Troubles()
    wait = troubles.was_full("full", 100.0)
    assert troubles.retry_at(100.0) == 100.0 + wait
    assert troubles.retry_at(100.0 + wait) is None


def test_a_session_that_was_had_makes_the_next_wait_short() -> None:
    troubles = Troubles()
    troubles.was_full("full", 0.0)
    troubles.was_full("full", 0.0)
    troubles.are_over()
    assert troubles.was_full("full", 0.0) == FIRST_BACKOFF


def test_an_error_is_told_to_others_while_it_is_fresh() -> None:
    troubles = Troubles()
    assert troubles.error(0.0) is None
    troubles.failed(DialError(Reason.UPSTREAM_DOWN, "refuses"), 10.0, 0.0)
    told = troubles.error(10.0)
    assert told is not None
    assert (told.reason, told.words) == (Reason.UPSTREAM_DOWN, "refuses")
    assert told is not troubles.error(10.0)  # each gets its own, with its own traceback
    assert troubles.error(10.0 + FRESH) is None


def test_a_server_that_could_not_be_reached_is_left_alone_for_a_moment() -> None:
    troubles = Troubles()
    troubles.failed(DialError(Reason.UPSTREAM_DOWN, "refuses"), 10.0, 0.0)
    assert troubles.retry_at(10.0) == 10.0 + FRESH
    assert troubles.retry_at(10.0 + FRESH) is None
    assert str(troubles.cause) == "refuses"  # told to who has waited in vain, when it is stale too
    backoff = troubles.was_full("full", 10.2)
    assert troubles.retry_at(10.2) == 10.0 + FRESH > 10.2 + backoff
    troubles.are_over()
    assert troubles.cause is None
    assert troubles.retry_at(10.2) == 10.2 + backoff


def fails(troubles: Troubles, now: float, reason: Reason = Reason.UPSTREAM_DOWN) -> bool:
    """Let a dial fail; tell whether the outage may yet pass."""
    error = DialError(reason, "refuses")
    troubles.failed(error, now, 10.0)
    told = troubles.error(now)
    assert told is not None
    assert told.may_pass == error.may_pass
    return error.may_pass


def test_a_server_that_refuses_for_a_moment_may_be_restarting() -> None:
    troubles = Troubles()
    assert fails(troubles, 100.0)
    assert fails(troubles, 109.0)
    assert not fails(troubles, 110.0)
    assert not fails(troubles, 130.0)


def test_a_session_that_was_had_ends_the_outage() -> None:
    troubles = Troubles()
    fails(troubles, 100.0)
    troubles.are_over()
    assert fails(troubles, 115.0)


def test_an_outage_nobody_has_met_for_long_is_a_new_one() -> None:
    troubles = Troubles()
    fails(troubles, 100.0)
    assert fails(troubles, 101.0 + ROW)


def test_who_is_turned_away_spares_others_the_same_for_longer_each_time() -> None:
    troubles, now = Troubles(), 100.0
    for wait in (FIRST_BACKOFF, 2 * FIRST_BACKOFF, 4 * FIRST_BACKOFF):
        assert troubles.failed(TurnedAway("No."), now, 10.0) == wait
        assert troubles.error(now + wait - 0.01) is not None
        now += wait
        assert troubles.error(now) is None
    assert troubles.retry_at(now) is None  # nobody waits in vain for its turn


def test_what_may_pass_is_told_by_the_moment_and_not_by_the_last_attempt() -> None:
    troubles = Troubles()
    for _ in range(9):
        troubles.failed(TurnedAway("No."), 100.0, 10.0)
    for now, may_pass in ((109.9, True), (110.0, False)):
        told = troubles.error(now)
        assert told is not None
        assert told.may_pass is may_pass


def test_silence_is_no_restart() -> None:
    assert not fails(Troubles(), 100.0, Reason.UPSTREAM_UNREACHABLE)


def test_what_befell_one_login_is_not_told_to_others() -> None:
    troubles = Troubles()
    error = DialError(Reason.UPSTREAM_SILENT, "no reply")
    error.is_of_login = True
    assert troubles.failed(error, 100.0, 10.0) == 0.0
    assert troubles.error(100.0) is None


def test_a_full_server_is_quoted_until_a_session_is_had() -> None:
    troubles = Troubles()
    assert troubles.cause is None
    troubles.was_full("Too many connections", 100.0)
    assert str(troubles.cause) == "Too many connections"
    troubles.are_over()
    assert troubles.cause is None


def test_what_one_server_said_is_nothing_to_the_next() -> None:
    troubles = Troubles()
    troubles.was_full("Too many connections", 100.0)
    troubles.failed(DialError(Reason.UPSTREAM_DOWN, "refuses"), 100.0, 0.0)
    troubles.turn_to_another()
    assert troubles.cause is None
    assert troubles.retry_at(100.0) is None
    assert troubles.error(100.0) is None


def test_what_we_lack_ourselves_says_nothing_of_the_server() -> None:
    heard: list[DialError | None] = []
    troubles = Troubles()
    troubles.when_dialled(heard.append)
    lack = DialError(Reason.DESCRIPTORS, "Too many open files")
    assert troubles.failed(lack, 10.0, 0.0) == 0.0
    assert lack.may_pass
    assert troubles.error(10.0) is None
    assert heard == []
