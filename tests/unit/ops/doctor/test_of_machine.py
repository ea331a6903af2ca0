"""What follows from this side of the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from proxy.ops.doctor.of_machine import of_machine
from proxy.ops.doctor.seen import (
    Attempt,
    Door,
    Greeter,
    Greeting,
    Ledger,
    Machine,
    Met,
    RefusedFor,
    Running,
    Seen,
)

OPEN = Attempt("127.0.0.1", 2121, Met.ANSWER)
CLOSED = Attempt("127.0.0.1", 2121, Met.REFUSAL)
PLACE = "127.0.0.1:2121"
READY = Greeting(Greeter.FTP, 220, "ftpweir is ready.")
NOW = datetime(2026, 11, 21, tzinfo=UTC)
ROOMY = Machine(
    descriptors=20_000,
    ports=28_000,
    ports_used=100,
    clock=NOW,
    state_written=NOW,
    sessions_held=0,
    foreign_sources=(),
)


def codes(seen: Seen) -> list[str]:
    return [one.cause.code for one in of_machine(seen)]


def told(seen: Seen) -> str:
    (found,) = of_machine(seen)
    return found.evidence


OUT = Greeting(
    Greeter.FTP, 421, "Too many connections, proxy is out of descriptors (9 of 9). Ref 1"
)
DRAINING = Greeting(Greeter.FTP, 421, "Proxy is shutting down, try again later. Ref 1")
STRANGER = Greeting(Greeter.FTP, 220, "(vsFTPd 3.0.3)")
SSH = Greeting(Greeter.OTHER, words="not a reply: SSH-2.0")
MUTE = Greeting(Greeter.MUTE)


@pytest.mark.parametrize(
    ("door", "found"),
    [
        (Door(PLACE, OPEN, READY, is_ours=True), []),
        (Door(PLACE, OPEN), []),  # TLS from the first byte is not spoken to
        (Door(PLACE, OPEN, OUT, is_ours=True), ["descriptors"]),
        (
            Door(PLACE, OPEN, MUTE, pid=7, descriptors_open=40, descriptors_limit=40),
            ["descriptors"],
        ),
        (
            Door(PLACE, OPEN, MUTE, pid=7, descriptors_open=9, descriptors_limit=40),
            ["proxy_silent"],
        ),
        (Door(PLACE, OPEN, DRAINING, is_ours=True), ["proxy_refuses"]),
        (Door(PLACE, OPEN, STRANGER), ["listen_taken"]),
        (Door(PLACE, OPEN, SSH), ["listen_taken"]),
        (
            Door(PLACE, OPEN, READY, True, pid=7, descriptors_open=9, descriptors_limit=256),
            ["descriptors_low"],
        ),
        (Door(PLACE, CLOSED), ["proxy_absent"]),
        (Door(PLACE, CLOSED, bind_error="in use", bind_is_taken=True), ["listen_taken"]),
        (Door(PLACE, CLOSED, bind_error="Cannot assign"), ["listen_denied"]),
        (
            Door(PLACE, CLOSED, bind_error="Permission denied", bind_is_denied=True),
            ["listen_privileged"],
        ),
        (
            Door(PLACE, replace(OPEN, met=Met.SILENCE), None, False, "in use", True),
            ["proxy_silent"],
        ),
        (Door(PLACE, replace(OPEN, met=Met.NO_DESCRIPTOR)), ["descriptors"]),
    ],
)
def test_what_a_door_tells(door: Door, found: list[str]) -> None:
    assert codes(Seen(doors=(door,))) == found


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (Seen(), "proxy_gone"),
        (Seen(ledgers=(Ledger("s", is_held=True),)), "proxy_absent"),
        (Seen(doors=(Door("127.0.0.1:2122", OPEN, READY, is_ours=True),)), "proxy_absent"),
    ],
    ids=["nobody is there", "it runs elsewhere", "it runs at another address"],
)
def test_who_has_left_a_state_file_behind_is_gone(seen: Seen, found: str) -> None:
    after = replace(seen, doors=(*seen.doors, Door(PLACE, CLOSED)), machine=ROOMY)
    assert codes(after) == [found]
    before = replace(after, machine=replace(ROOMY, state_written=None))
    assert codes(before) == ["proxy_absent"]


@pytest.mark.parametrize(
    ("ledger", "found"),
    [
        (Ledger("s", used=3, limit=9), []),
        (Ledger("s", problem="Permission denied"), ["state_unusable"]),
        (Ledger("s", problem="may not write", is_denied=True), ["state_denied"]),
        (Ledger("s", is_believed=False), ["state_unbelievable"]),
    ],
)
def test_what_a_state_file_tells(ledger: Ledger, found: list[str]) -> None:
    assert codes(Seen(ledgers=(ledger,))) == found


@pytest.mark.parametrize(
    ("machine", "found"),
    [
        (ROOMY, []),
        (replace(ROOMY, descriptors=256), ["descriptors_low"]),
        (replace(ROOMY, ports_used=27_900), ["ports_scarce"]),
        (replace(ROOMY, foreign_sources=("192.0.2.1",)), ["source_foreign"]),
        (replace(ROOMY, clock=datetime(1970, 1, 1, tzinfo=UTC), state_written=None), ["clock"]),
        (replace(ROOMY, state_written=NOW + timedelta(hours=1)), ["clock"]),
        (replace(ROOMY, state_written=NOW + timedelta(seconds=5)), []),
    ],
)
def test_what_the_machine_tells(machine: Machine, found: list[str]) -> None:
    assert codes(Seen(machine=machine)) == found


def test_the_limit_of_the_running_proxy_counts_more_than_ours() -> None:
    door = Door(PLACE, OPEN, READY, True, pid=7, descriptors_open=9, descriptors_limit=20_000)
    assert codes(Seen(doors=(door,), machine=replace(ROOMY, descriptors=256))) == []


def test_a_full_budget_tells_when_the_next_slot_is_free() -> None:
    ledger = Ledger("s", used=380, limit=380, next_free=12.2)
    words = told(Seen(ledgers=(ledger,), no_room=True, connections=1))
    assert words.startswith("380 of 380 slots are used")
    assert words.endswith("free in 12 s")
    assert "needs more than the budget" in told(Seen(no_room=True, connections=3))


CALM = Running("127.0.0.1:8021", 7, 380, 2.5, 0.0, 2, "", ())


def test_what_the_running_proxy_tells() -> None:
    assert codes(Seen(running=CALM)) == []
    assert codes(Seen(running=replace(CALM, banned_for=30.0))) == ["ban_suspected"]
    assert codes(Seen(running=replace(CALM, store_new_for=9.0))) == ["store_new"]
    undercut = Seen(running=replace(CALM, undercut=("upstream.sessions: 2, 4",)))
    assert (codes(undercut), told(undercut)) == (["limits_differ"], "upstream.sessions: 2, 4")
    assert codes(Seen(running=replace(CALM, trouble="421 Too many."))) == ["server_trouble"]
    often = (RefusedFor("budget", 2, "Too many."), RefusedFor("idle", 1, "Idle."))
    assert told(Seen(running=replace(CALM, refusals=often))) == (
        "budget 2 times, idle 1 times; the last of them: Too many."
    )


def test_a_running_proxy_knows_more_of_the_budget_than_its_file() -> None:
    seen = Seen(running=CALM, ledgers=(Ledger("s", used=1, limit=2),), no_room=True)
    assert told(seen).startswith("7 of 380 slots are used")
