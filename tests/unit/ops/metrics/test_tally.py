"""Deeds become numbers, with labels that no client can multiply."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from proxy import events
from proxy.events import Event, Result
from proxy.ops.metrics.table import COUNTED, Type
from proxy.ops.metrics.tally import ENDED_BY, Histogram, Tally
from proxy.refusals import Reason

from ..examples import CLOSED, DOWN, KINDS, OPENED, REFUSED, SESSION, transfer

SAMPLES: dict[str, Any] = {
    "str": Reason.FAULT.value,  # a word that is a transfer's result, too
    "int": 1,
    "int | None": None,
    "float | None": 0.5,
    "float": 0.5,
}


REACHED = {"queue": 0.1, "prepare": 0.1, "open": 0.1, "data": 0.1}


def tally(*told: Event) -> Tally:
    tally = Tally()
    for event in told:
        tally(event)
    return tally


def sample(kind: type[Event]) -> Event:
    """Make an event; what has a type of its own stays empty."""
    values = {each.name: SAMPLES.get(str(each.type), ()) for each in dataclasses.fields(kind)}
    return kind(**values)


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_is_counted_under_the_labels_of_the_table(kind: type[Event]) -> None:
    counted = tally(sample(kind))
    for metric in COUNTED:
        known: dict[tuple[str, ...], Any] = (
            dict(counted.counters[metric.name])
            if metric.type is Type.COUNTER
            else dict(counted.histograms[metric.name])
        )
        assert all(len(labels) == len(metric.labels) for labels in known)
    assert sum(counted.counters["log_events"].values()) == 1


def test_a_transfer_counts_with_its_bytes_and_its_phases() -> None:
    counted = tally(transfer(), transfer(moved=24, queue=2.0))
    assert counted.counters["transfers"] == {("nightly", "download", "done", ""): 2}
    assert counted.counters["transfer_bytes"] == {("nightly", "download", ""): 1024}
    assert counted.histograms["transfer_phase_seconds"][("data",)].sum == pytest.approx(0.6)
    assert counted.histograms["transfer_duration_seconds"][("download", "")].sum == pytest.approx(
        2.74
    )


@pytest.mark.parametrize(
    ("changes", "status", "outcome"),
    [
        ({}, "passed", "served"),
        ({"queue": 0.1}, "delayed", "served"),
        ({"result": "eta_too_long", "upstream_session": None}, "refused", "refused"),
        ({"result": "aborted", "upstream_session": None, "queue": 9.0}, "delayed", "left"),
        ({"result": "upstream_data"}, "passed", "served"),
    ],
)
def test_what_the_queue_did_to_a_transfer(
    changes: dict[str, Any], status: str, outcome: str
) -> None:
    counted = tally(transfer(**changes))
    assert counted.counters["budget_admissions"] == {("nightly", "download", status, ""): 1}
    assert list(counted.histograms["queue_wait_seconds"]) == [("nightly", outcome, "")]


def test_a_failed_transfer_has_no_duration() -> None:
    assert not tally(transfer(result="stalled")).histograms["transfer_duration_seconds"]


@pytest.mark.parametrize(
    ("changes", "party", "phase"),
    [
        ({"result": "aborted", "final": 0.0, "data": 0.0}, "client", "data"),
        ({"result": "refused by server", "final": 0.0}, "server", "final"),
        ({"result": "upstream_data_lost", "final": 0.0, "data": 0.0}, "server", "data"),
        ({"result": "upload_unsure", "final": 0.0}, "server", "final"),
        ({"result": "eta_too_long", "upstream_session": None}, "limit", "queue"),
        ({"result": "fault", "prepare": 0.0, "open": 0.0, "data": 0.0, "final": 0.0}, "proxy",
         "prepare"),
    ],
)  # fmt: skip
def test_a_transfer_that_was_not_done_tells_who_ended_it_and_where(
    changes: dict[str, Any], party: str, phase: str
) -> None:
    counted = tally(transfer(**{**REACHED, **changes}), transfer())
    assert counted.counters["transfer_terminations"] == {(party, phase, ""): 1}


def test_every_result_but_done_has_a_party() -> None:
    assert set(ENDED_BY) == set(Reason) | set(Result) - {Result.DONE}


def test_how_well_a_wait_was_foretold_is_known_of_those_who_waited() -> None:
    told = tally(transfer(), transfer(misjudged=0.4)).histograms["queue_eta_error_seconds"][()]
    assert (sum(told.counts), told.sum) == (1, 0.4)


def test_the_moment_of_the_configuration_is_that_of_the_last_good_reload() -> None:
    moments = iter((100.0, 200.0))
    counted = Tally(lambda: next(moments))
    counted(events.ReloadRefused(("no",)))
    assert counted.configured_at == 100.0
    counted(events.Reloaded((), ()))
    assert (counted.configured_at, counted.reload_failed) == (200.0, False)


def test_transfers_and_refusals_are_told_apart_by_server() -> None:
    at_b = dataclasses.replace(REFUSED, server="b")
    counted = tally(transfer(), transfer(server="b"), transfer(server="b"), REFUSED, at_b)
    of_transfer = "nightly", "download", "done"
    assert counted.counters["transfers"] == {(*of_transfer, ""): 1, (*of_transfer, "b"): 2}
    of_refusal = "eta_too_long", "nightly"
    assert counted.counters["refusals"] == {(*of_refusal, ""): 1, (*of_refusal, "b"): 1}


def test_logins_and_their_failures_are_counted_apart() -> None:
    counted = tally(OPENED, DOWN, events.LoginFailed("a", "192.0.2.7", "alice", "530 No."))
    assert counted.counters["upstream_logins"] == {(): 1}
    assert counted.counters["upstream_login_failures"] == {("upstream_down",): 1, ("login",): 1}


def test_refusals_ends_and_leases_are_counted() -> None:
    counted = tally(REFUSED, SESSION, CLOSED, CLOSED)
    assert counted.counters["refusals"] == {("eta_too_long", "nightly", ""): 1}
    assert counted.counters["client_sessions"] == {("nightly", "quit"): 1}
    assert counted.counters["upstream_leases"] == {(): 14}


@pytest.mark.parametrize(("verb", "label"), [("SITE EXEC", "SITE"), ("XYZZY", "other")])
def test_a_word_that_a_client_made_up_is_no_label(verb: str, label: str) -> None:
    counted = tally(events.Pinned("a", 1, verb))
    assert counted.counters["upstream_session_pins"] == {(label,): 1}


def test_a_counter_without_labels_begins_with_zero() -> None:
    assert tally().counters["ban_holds"] == {(): 0}
    assert tally().histograms["loop_lag_seconds"][()].sum == 0


def test_a_value_equal_to_a_bound_is_inside_it() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (1.0, 1.5, 2.5):
        histogram.add(value)
    assert (histogram.counts, histogram.sum) == ([1, 1, 1], 5.0)
