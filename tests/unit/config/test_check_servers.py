"""What keys about several servers say together."""

from __future__ import annotations

import pytest

from proxy.config.parsing import examine

TOP = "listen: 127.0.0.1:2121\nupstream: {host: a}\nservers:\n"


def told(*servers: str) -> list[str]:
    text = TOP + "".join(f"  - {server}\n" for server in servers)
    return [str(problem) for problem in examine(text, "f").problems]


def test_servers_of_different_names_and_clients_are_no_problem() -> None:
    assert (
        told(
            "{name: b, match: {listen: 127.0.0.1:2121}, upstream: {host: b}}",
            "{name: c, match: {user: [x, y-*]}, upstream: {host: c}}",
            "{name: d, match: {host: d.example.com}, upstream: {host: b, port: 2100}}",
        )
        == []
    )


def test_a_name_belongs_to_one_server() -> None:
    server = "{name: b, match: {user: x}, upstream: {host: b}}"
    assert told(server, server) == ["f:5:12: servers.name: 'b' names two servers"]


@pytest.mark.parametrize(("host", "other"), [("a", "the top level"), ("b", "'b'")])
def test_two_names_for_one_server_are_warned_of(host: str, other: str) -> None:
    (problem,) = told(
        "{name: b, match: {user: x}, upstream: {host: b}}",
        f"{{name: c, match: {{user: y}}, upstream: {{host: {host}}}}}",
    )
    assert "servers.upstream.host" in problem
    assert f"{host}:21 is there for {other} too" in problem


@pytest.mark.parametrize(
    ("server", "place", "words"),
    [
        ("{name: b, match: {}, upstream: {host: b}}", "servers.match", "fits everybody"),
        (
            "{name: b, match: {listen: 127.0.0.1:2122}, upstream: {host: b}}",
            "servers.match.listen",
            "127.0.0.1:2122 is no address of listen",
        ),
        (
            "{name: b, match: {redirected: 192.0.2.1}, upstream: {host: b}}",
            "servers.match.redirected",
            "no listener is transparent",
        ),
        (
            "{name: b, match: {user: x}, upstream: {host: b, ports: 1-2}}",
            "servers.upstream.ports",
            "one range serves all servers",
        ),
        (
            "{name: b, match: {user: x}, upstream: {host: b}, budget: {connections: 2}}",
            "servers.budget.connections",
            "no transfer could ever run",
        ),
        (
            "{name: b, match: {user: x}, upstream: {host: b, standby: b}}",
            "servers.upstream.standby",
            "b:21 is listed twice",
        ),
        (
            "{name: b, match: {user: x}, upstream: {host: b}, queue: {max_wait: 59s}}",
            "servers.queue.max_wait",
            "curl",
        ),
    ],
)
def test_what_cannot_work_is_told_at_its_place(server: str, place: str, words: str) -> None:
    (problem,) = told(server)
    assert f"{place}: " in problem
    assert words in problem


def test_what_a_server_takes_over_is_told_once() -> None:
    text = "upstream: {host: a}\nqueue: {max_wait: 59s}\n"
    text += "servers: [{name: b, match: {user: x}, upstream: {host: b}}]"
    assert len(examine(text, "f").problems) == 1


def test_a_floor_must_fit_every_budget() -> None:
    text = "upstream: {host: a}\nsharing: {instances: 4, floor: 5}\n"
    text += "servers: [{name: b, match: {user: x}, upstream: {host: b}, "
    text += "budget: {connections: 10, headroom: 0%}}]"
    (problem,) = examine(text, "f").problems
    assert "are 20 slots, and the budget leaves 10" in str(problem)


@pytest.mark.parametrize(
    ("upstream", "key", "words"),
    [
        ("weight: 2", "weight", "there is no other"),
        ("weight: 2, standby: b", "weight", "the order counts"),
        ("standby: {server: b, weight: 2}", "standby", "the order counts"),
    ],
)
def test_a_weight_that_changes_nothing_is_warned_of(upstream: str, key: str, words: str) -> None:
    (problem,) = examine(f"upstream: {{host: a, {upstream}}}", "f").problems
    assert problem.severity == "warning"
    assert f"upstream.{key}: " in str(problem)
    assert words in str(problem)


@pytest.mark.parametrize("spread", ["least-loaded", "by-user"])
def test_weights_share_the_work_out(spread: str) -> None:
    upstream = f"host: a, weight: 2, spread: {spread}, standby: [b, {{server: c, weight: 3}}]"
    reading = examine(f"upstream: {{{upstream}}}", "f")
    assert not reading.problems
    assert reading.config is not None
    assert reading.config.upstream.weights == (2.0, 1.0, 3.0)


@pytest.mark.parametrize("name", ["worker2", "worker64"])
def test_a_server_is_not_named_as_a_worker_calls_its_state_file(name: str) -> None:
    server = f"{{name: {name}, match: {{user: x}}, upstream: {{host: b}}}}"
    (problem,) = told(server)
    assert f"servers.name: ./ftpweir.state.{name} is the state file of a worker too" in problem
    assert examine(f"{TOP}  - {server}\nstate: none\n", "f").problems == ()


@pytest.mark.parametrize("name", ["worker", "worker1", "worker-2", "my-worker2"])
def test_other_names_are_no_workers(name: str) -> None:
    assert told(f"{{name: {name}, match: {{user: x}}, upstream: {{host: b}}}}") == []


def test_two_budgets_are_not_kept_in_one_file() -> None:
    text = "upstream: {host: a, standby: b.example.com}\nservers:\n  - {name: b, "
    text += "match: {user: x}, upstream: {host: c, standby: example.com}}\n"
    (problem,) = examine(text, "f").problems
    words = "servers.name: ./ftpweir.state.b.example.com:21 is a state file of the top level too"
    assert words in str(problem)
