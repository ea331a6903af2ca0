from __future__ import annotations

import pytest

from proxy.config.parsing import examine

SERVER = "upstream: {host: a}\n"


def told(text: str) -> list[str]:
    return [str(problem) for problem in examine(SERVER + text, "f").problems]


@pytest.mark.parametrize(
    "store",
    [
        "redis://localhost:6379/0",
        "rediss://user:secret@store.example.com:6380/1",
        "unix:///run/redis.sock?db=0",
        "none",
    ],
)
def test_a_store_is_a_redis_by_any_of_its_ways(store: str) -> None:
    assert told(f"store: {store}") == []


@pytest.mark.parametrize("store", ["localhost:6379", "http://localhost", "unix://run/redis.sock"])
def test_anything_else_is_no_store(store: str) -> None:
    (problem,) = told(f"store: {store}")
    assert "redis://host:6379/0" in problem


def test_the_group_is_a_word_that_may_stand_in_a_key() -> None:
    assert told("sharing: {group: north-1}") == []
    assert len(told("sharing: {group: '{x}'}")) == 1


def test_a_floor_needs_to_know_how_many_have_one() -> None:
    assert "give sharing.instances" in told("sharing: {floor: 2}")[0]
    assert told("sharing: {floor: 2, instances: 4}") == []


def test_all_floors_together_fit_into_the_budget() -> None:
    text = "budget: {connections: 10, headroom: 0%%}\nsharing: {floor: 3, instances: %d}"
    assert told(text % 3) == []
    assert "12 slots" in told(text % 4)[0]
