"""The table of holds: who keeps TIME_WAIT, and what each counter makes of it."""

from __future__ import annotations

import pytest

from proxy.config.serverside import PROFILE_SECONDS
from proxy.shaping.holds import PROFILES, Ending, Holds, explicit
from proxy.shaping.ledger import Kind

THEIRS = [kind for kind in Kind if kind is not Kind.UPLOAD]
DISTINCT = Holds("test", server_closed=1.0, we_closed=2.0, reset=3.0, unanswered=4.0)


@pytest.mark.parametrize("kind", THEIRS)
def test_what_the_server_ends_costs_its_time_wait(kind: Kind) -> None:
    assert DISTINCT.of(kind, Ending.FIN) == 1.0


def test_an_upload_is_ended_by_us() -> None:
    assert DISTINCT.of(Kind.UPLOAD, Ending.FIN) == 2.0


@pytest.mark.parametrize("kind", Kind)
def test_a_reset_and_a_silence_cost_the_same_whatever_it_was_for(kind: Kind) -> None:
    assert DISTINCT.of(kind, Ending.RESET) == 3.0
    assert DISTINCT.of(kind, Ending.UNANSWERED) == 4.0


@pytest.mark.parametrize("name", ["csf", "windows"])
def test_a_socket_table_forgets_what_we_close_first(name: str) -> None:
    assert PROFILES[name].of(Kind.UPLOAD, Ending.FIN) == 0.0
    assert PROFILES[name].of(Kind.DOWNLOAD, Ending.RESET) == 0.0


def test_conntrack_does_not_care_who_closes() -> None:
    conntrack = PROFILES["conntrack"]
    assert conntrack.of(Kind.UPLOAD, Ending.FIN) == conntrack.of(Kind.DOWNLOAD, Ending.FIN) == 120.0
    assert conntrack.of(Kind.DOWNLOAD, Ending.RESET) == 10.0


def test_no_counter_holds_nothing() -> None:
    assert PROFILES["none"].longest == 0.0


def test_every_profile_of_the_configuration_has_its_holds() -> None:
    assert PROFILES.keys() == PROFILE_SECONDS.keys()
    assert all(PROFILES[name].name == name for name in PROFILES)


@pytest.mark.parametrize("holds", [*PROFILES.values(), explicit(5.0), DISTINCT])
def test_the_longest_hold_is_the_longest_of_all(holds: Holds) -> None:
    assert holds.longest == max(holds.of(kind, ending) for kind in Kind for ending in Ending)


@pytest.mark.parametrize("kind", Kind)
def test_of_a_counter_known_by_its_time_alone_the_worst_is_assumed(kind: Kind) -> None:
    holds = explicit(240.0)
    assert holds.of(kind, Ending.FIN) == holds.of(kind, Ending.UNANSWERED) == 240.0
    assert holds.of(kind, Ending.RESET) == 10.0


def test_a_reset_never_costs_more_than_a_fin() -> None:
    assert explicit(5.0).of(Kind.DOWNLOAD, Ending.RESET) == 5.0
