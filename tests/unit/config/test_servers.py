"""Further servers: what each takes over from the top level, and what it has alone."""

from __future__ import annotations

from typing import Any

from proxy.config import Config

TOP = {
    "upstream": {"host": "a", "port": 2100, "sessions": 7, "server_name": "a.example"},
    "budget": {"connections": 50, "profile": "csf"},
    "queue": {"max_wait": "7s"},
    "state": "/tmp/state",
}


def served(**sections: Any) -> Config:
    """Return what a server with these sections would have if it were the only one."""
    server: dict[str, Any] = {"name": "b", "match": {"user": "x"}, "upstream": {"host": "b"}}
    config = Config.model_validate({**TOP, "servers": [server | sections]})
    assert list(config.by_server) == ["", "b"]
    assert config.by_server[""] is config
    return config.by_server["b"]


def test_what_a_server_does_not_say_is_as_at_the_top() -> None:
    alone = served()
    assert alone.upstream.sessions == 7
    assert (alone.budget.connections, alone.budget.profile) == (50, "csf")
    assert alone.queue.max_wait == 7.0
    assert alone.servers == ()


def test_what_tells_one_server_from_another_is_taken_from_nobody() -> None:
    upstream = served().upstream
    assert (upstream.host, upstream.port, upstream.server_name) == ("b", 21, None)


def test_what_a_server_says_is_its_own() -> None:
    alone = served(upstream={"host": "b", "sessions": 1}, budget={"guard": "1s"})
    assert alone.upstream.sessions == 1
    assert (alone.budget.guard, alone.budget.connections) == (1.0, 50)


def test_a_hold_of_its_own_is_given_in_either_way() -> None:
    assert served(budget={"time_wait": "9s"}).budget.profile is None
    assert served(budget={"time_wait": "9s"}).budget.time_wait == 9.0
    assert served(budget={"profile": "conntrack"}).budget.time_wait == 120.0


def test_each_server_has_a_state_file_of_its_own() -> None:
    assert served().state == "/tmp/state.b"
    assert served(name="b").model_copy(update={"state": None}).state is None
