"""Tables for the terminal: what a person reads, and nothing that a stranger could do with it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from rich.console import Console, RenderableType

from proxy.ops import tables
from proxy.ops.page.answers import SECTIONS

BUDGET: dict[str, Any] = {
    "name": "default",
    "enforce": "on",
    "open": 2,
    "cooling": 6,
    "elsewhere": 0,
    "limit": 10,
    "configured": 10,
    "next_slot": 0.0,
    "per_second": 0.5,
    "banned_for": 0.0,
    "is_lowered": False,
}
CLIENT: dict[str, Any] = {
    "id": "a1b2c3",
    "user": "alice",
    "source": "192.0.2.7",
    "client_class": "nightly",
    "doing": "RETR",
    "phase": "data",
    "path": "big.bin",
    "pinned_by": "",
    "transfers": 3,
    "bytes_down": 2048,
    "bytes_up": 0,
    "age": 61.0,
}


def read(shown: RenderableType) -> str:
    console = Console(width=200, color_system=None)
    with console.capture() as capture:
        console.print(shown)
    return capture.get()


def test_a_budget_is_a_bar_and_figures() -> None:
    bar, words = read(tables.budget({"budgets": [BUDGET]})).splitlines()
    assert bar.count("\u2588") == 32
    assert bar.endswith("] 8 of 10")
    assert words == "2 open, 6 cooling, 2 free, carries 30 connections a minute"


def test_a_bar_never_leaves_its_frame() -> None:
    full = {**BUDGET, "cooling": 30, "elsewhere": 9, "next_slot": 4.0}
    bar, words = read(tables.budget({"budgets": [full]})).splitlines()
    assert bar.count("\u2588") == tables.BAR
    assert "9 dealt out but not used here, 0 free, next slot in 4 s" in words


def test_a_new_store_is_told_beside_the_budget() -> None:
    shown = read(tables.budget({"budgets": [BUDGET], "store_new_for": 20.0}))
    assert "the store is new: nothing is dealt out for 20 s more" in shown


def test_a_store_that_is_away_is_told_beside_the_budget() -> None:
    shown = read(tables.budget({"budgets": [BUDGET], "store_lost": "local_share"}))
    assert "the store cannot be reached: sharing.on_store_down: local_share" in shown
    assert "store" not in read(tables.budget({"budgets": [BUDGET], "store_lost": ""}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"banned_for": 90.0}, "BAN SUSPECTED, nothing is tried for 90 s"),
        ({"limit": 5}, "lowered from 10 after a suspected ban"),
        ({"limit": 5, "is_lowered": True}, "another instance goes by 5, not by 10"),
        ({"enforce": "shadow"}, "enforce: shadow"),
    ],
)
def test_what_is_not_as_usual_is_told(changes: dict[str, Any], words: str) -> None:
    assert words in read(tables.budget({"budgets": [{**BUDGET, **changes}]}))


def test_a_client_is_shown_with_its_deed() -> None:
    shown = read(tables.sessions({"sessions": [CLIENT], "total": 3}))
    assert "RETR big.bin (data)" in shown
    assert "2.0 KiB" in shown
    assert "and 2 more" in shown


def test_a_client_of_another_server_is_shown_with_that() -> None:
    shown = read(tables.sessions({"sessions": [CLIENT | {"server": "archive"}], "total": 1}))
    assert f"{CLIENT['user']} at archive" in shown
    assert " at " not in read(tables.sessions({"sessions": [CLIENT], "total": 1}))


def test_what_a_stranger_calls_itself_neither_colours_nor_moves_anything() -> None:
    evil = {**CLIENT, "user": "[red]me\x1b[2J\r", "phase": ""}
    shown = read(tables.sessions({"sessions": [evil], "total": 1}))
    assert "[red]me?[2J?" in shown
    assert "\x1b" not in shown


def test_who_waits_is_shown_in_order() -> None:
    waiter = {**CLIENT, "place": 1, "errand": "", "wants": "login", "waits_for": "budget"}
    told = {
        "length": 2,
        "limit": 10,
        "max_wait": 40.0,
        "first": [{**waiter, "waited": 3.0, "eta": 5.0}, {**waiter, "waited": 1.0, "eta": None}],
    }
    lines = read(tables.queue(told)).splitlines()
    assert lines[0] == "2 of 10 wait, each for at most 40 s"
    assert " ".join(lines[2].split()) == "1 alice 192.0.2.7 nightly login budget 3 s ~5 s"
    assert lines[3].endswith("-")


def test_trouble_with_the_server_stands_above_its_sessions() -> None:
    trouble = {"at": 0.0, "reason": "upstream_down", "words": "Connection refused"}
    told = {
        "server": "ftp:21",
        "limit": 2,
        "elsewhere": 0,
        "sessions": [],
        "trouble": {**trouble, "is_over": False},
    }
    assert "upstream_down: Connection refused" in read(tables.upstream(told))
    told["trouble"] = {**trouble, "is_over": True}
    assert "upstream_down" not in read(tables.upstream(told))


def test_the_sessions_of_other_instances_are_told_beside_ours() -> None:
    machine = {"address": "a:21", "state": "in use", "down_for": None, "sessions": 0, "limit": 2}
    told = {
        "server": "ftp:21",
        "limit": 4,
        "elsewhere": 3,
        "sessions": [],
        "trouble": None,
        "machines": [machine | {"elsewhere": 2}, machine | {"elsewhere": 0}],
    }
    head, _, first, second, *_ = read(tables.upstream(told)).splitlines()
    assert head.rstrip() == "ftp:21: 0 of 4 (3 dealt out but not used here) sessions"
    assert first.rstrip().endswith("0 of 2 (2 dealt out but not used here)")
    assert second.rstrip().endswith("0 of 2")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.6, "10 s"), (300, "5 min"), (7200, "2.0 h"), (864_000, "10 days")],
)
def test_a_duration_is_said_as_people_do(seconds: float, words: str) -> None:
    assert tables.duration(seconds) == words


@pytest.mark.parametrize(("count", "words"), [(0, "0 B"), (1536, "1.5 KiB"), (1 << 40, "1.0 TiB")])
def test_a_size_is_said_as_people_do(count: int, words: str) -> None:
    assert tables.size(count) == words


def test_every_section_of_the_api_can_be_shown() -> None:
    assert set(tables.SECTIONS) == {*SECTIONS, "config"} - {"status"}


def test_a_session_with_a_standby_server_is_told_from_others() -> None:
    session = {"id": 1, "user": "alice", "use": "idle", "pinned": False, "client": ""}
    figures = {"since": 1.0, "age": 2.0, "leases": 3, "budget": "two.example:21"}
    told = {"server": "one.example:21", "limit": 4, "elsewhere": 0, "trouble": None}
    shown = read(tables.upstream({**told, "sessions": [session | figures]}))
    assert shown.splitlines()[2].split()[:4] == ["1", "alice", "two.example:21", "idle"]


def test_several_machines_are_shown_with_their_part_of_the_limit() -> None:
    each = {"elsewhere": 0, "limit": 2}
    up = {"address": "one.example:21", "state": "in use", "down_for": None, **each}
    down = {"address": "two.example:21", "state": "down", "down_for": 300.0, **each}
    told: dict[str, Any] = {"server": "one.example:21", "sessions": [], "trouble": None, **each}
    machines = [{**up, "sessions": 1}, {**down, "sessions": 0}]
    lines = read(tables.upstream({**told, "machines": machines})).splitlines()
    assert [" ".join(line.split()) for line in lines[2:4]] == [
        "one.example:21 in use 1 of 2",
        "two.example:21 down for 5 min 0 of 2",
    ]


@pytest.mark.parametrize(
    ("starts", "rate", "told"), [(60, 3 << 20, ["60", "3.0", "MiB"]), (None, None, ["-", "-"])]
)
def test_a_class_tells_what_it_may_start_in_a_minute_and_move_in_a_second(
    starts: int | None, rate: int | None, told: list[str]
) -> None:
    figures = {"sources": 1, "sessions": 2, "transfers": 3, "waiting": 4, "slots": 5, "weight": 1.0}
    limits = {"limit_sessions": None, "limit_transfers": 8, "limit_transfers_per_minute": starts}
    nightly = {"name": "nightly", **figures, **limits, "limit_bandwidth": rate}
    head, row = read(tables.classes({"classes": [nightly]})).splitlines()
    assert re.search("a minute +a second", head)
    assert row.split() == ["nightly", "1", "2", "3", "(8)", *told, "4", "5", "1"]
