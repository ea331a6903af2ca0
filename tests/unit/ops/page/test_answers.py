"""Sections of a snapshot as JSON: right for whoever asks, and written once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from proxy.ops.lookout import FRESH, Lookout
from proxy.ops.page.answers import Answers, as_json
from proxy.ops.recent import Recent
from proxy.ops.snapshot import MachineSeen, Totals, Trouble
from tests.support.house import house
from tests.support.scripted import scripted

from ..looking import seen


async def test_a_section_is_written_once_for_all_who_ask_in_a_moment() -> None:
    now = [100.0]
    async with scripted() as server, house(server) as home:
        lookout = Lookout(home.app, Recent(lambda: 0.0), lambda: now[0], started=1.0)
        answers = Answers()
        async with home.guest():
            first = answers.about("sessions", lookout.snapshot())
            assert answers.about("sessions", lookout.snapshot()) is first
            assert json.loads(first)["total"] == 1
            assert json.loads(answers.about("status", lookout.snapshot()))["sessions_total"] == 1
        await home.until(lambda: not len(home.app.roster))
        now[0] += FRESH
        assert json.loads(answers.about("sessions", lookout.snapshot()))["total"] == 0


async def test_a_section_that_does_not_exist_has_no_answer() -> None:
    async with scripted() as server, house(server) as home:
        with pytest.raises(KeyError):
            Answers().about("secrets", seen(home))


def test_a_server_is_told_where_it_has_a_name() -> None:
    trouble = Trouble(1.0, "upstream_down", "Gone.", is_over=False)
    assert "server" not in json.loads(as_json(trouble))
    assert json.loads(as_json(replace(trouble, server="b")))["server"] == "b"


async def test_machines_are_told_where_there_are_several() -> None:
    machine = MachineSeen("two.example:21", "standby", None, 0, 0, 2)
    async with scripted() as server, house(server) as home:
        one = seen(home)
        several = replace(one, machines=(machine,))
        for section in ("status", "upstream"):
            assert "machines" not in json.loads(Answers().about(section, one))
            (told,) = json.loads(Answers().about(section, several))["machines"]
            assert (told["address"], told["state"]) == ("two.example:21", "standby")


async def test_a_new_store_is_told_while_it_is_new() -> None:
    async with scripted() as server, house(server) as home:
        old = seen(home)
        for section in ("status", "budget"):
            assert "store_new_for" not in json.loads(Answers().about(section, old))
            new = json.loads(Answers().about(section, replace(old, store_new_for=9.0)))
            assert new["store_new_for"] == 9.0


async def test_a_lost_store_is_told_beside_the_budget_while_it_is_lost() -> None:
    async with scripted() as server, house(server) as home:
        there = seen(home)
        assert "store_lost" not in json.loads(Answers().about("budget", there))
        away = json.loads(Answers().about("budget", replace(there, store_lost="closed")))
        assert away["store_lost"] == "closed"


def test_values_of_ours_are_written_by_their_fields() -> None:
    told = json.loads(as_json({"totals": Totals(1, 2, 3, 4, 5, 6, 7, 8)}))
    assert told["totals"]["transfers_failed"] == 3
