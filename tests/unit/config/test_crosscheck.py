"""What keys say together."""

from __future__ import annotations

import pytest

from proxy.config.parsing import examine


def told(text: str) -> list[str]:
    return [str(problem) for problem in examine(text, "f").problems]


def test_the_defaults_agree_with_each_other() -> None:
    assert told("upstream: {host: a}") == []


@pytest.mark.parametrize(("connections", "errors"), [(5, 0), (4, 0), (3, 1)])
def test_a_budget_that_the_sessions_use_up_is_an_error(connections: int, errors: int) -> None:
    text = f"upstream: {{host: a, sessions: 2}}\nbudget: {{connections: {connections}}}"
    problems = told(text)
    assert len(problems) == errors
    if errors:
        assert problems[0].startswith("f:2:23: budget.connections: leaves 2 after reserved and h")


def test_a_used_up_budget_is_only_a_warning_while_nothing_waits() -> None:
    text = "upstream: {host: a}\nbudget: {connections: 1, enforce: %s}"
    assert "warning: budget.connections" in told(text % "shadow")[0]
    assert told(text % "off") == []


def test_a_default_budget_is_blamed_at_its_section_or_at_the_top() -> None:
    text = "upstream:\n  host: a\n  sessions: 400\n"
    assert told(text)[0].startswith("f:1:1: budget.connections: ")
    assert told(text + "budget: {guard: 1s}")[0].startswith("f:4:1: budget.connections: ")


def test_a_profile_beside_time_wait_is_an_error() -> None:
    text = "upstream: {host: a}\nbudget: {time_wait: 60s, profile: csf}"
    assert told(text) == [
        "f:2:35: budget.profile: time_wait and profile say the same thing twice: keep one"
    ]


@pytest.mark.parametrize(("wait", "warnings"), [("40s", 0), ("50s", 0), ("51s", 1), ("5m", 1)])
def test_a_wait_near_curls_patience_is_a_warning(wait: str, warnings: int) -> None:
    reading = examine(f"upstream: {{host: a}}\nqueue: {{max_wait: {wait}}}", "f")
    assert len(reading.problems) == warnings
    assert reading.config is not None


def test_passive_ports_must_not_be_the_active_ones() -> None:
    text = "upstream: {host: a, data: active}\npassive: {ports: 50000-51000}"
    assert told(text) == [
        "f:2:18: passive.ports: overlaps upstream.ports 51000-60999: each needs ports of its own"
    ]


def test_the_active_ports_do_not_matter_in_passive_mode() -> None:
    assert told("upstream: {host: a}\npassive: {ports: 50000-60000}\nlisten: 0.0.0.0:60500") == []


def test_no_range_may_contain_a_listeners_port() -> None:
    text = "upstream: {host: a, data: active, ports: 2000-3000}\nlisten: 0.0.0.0:%d"
    assert told(text % 2121) == ["f:1:42: upstream.ports: contains the port of listen 0.0.0.0:2121"]
    assert told(text % 50000) == ["f:1:1: passive.ports: contains the port of listen 0.0.0.0:50000"]


def test_a_listener_written_twice_is_an_error() -> None:
    text = "upstream: {host: a}\nlisten: [127.0.0.1:2121, 127.0.0.1:2121]"
    assert told(text) == ["f:2:26: listen: 127.0.0.1:2121 is listed twice"]


def test_port_zero_may_be_listed_twice() -> None:
    assert told("upstream: {host: a}\nlisten: [127.0.0.1:0, 127.0.0.1:0]") == []


def test_two_classes_of_one_name_are_an_error() -> None:
    text = "upstream: {host: a}\nclients: [{name: b, user: c}, {name: b}]"
    assert told(text) == ["f:2:38: clients.name: 'b' names two classes"]


def test_a_class_behind_one_that_matches_everybody_is_a_warning() -> None:
    text = "upstream: {host: a}\nclients: [{name: b}, {name: c}]"
    warning = "f:2:29: warning: clients.name: never matches: 'b' above it matches everybody"
    assert told(text) == [warning]


def test_clients_that_no_class_matches_are_a_warning() -> None:
    reading = examine("upstream: {host: a}\nclients: [{name: b, user: c}]", "f")
    (problem,) = reading.problems
    assert problem.severity == "warning"
    assert problem.message.startswith("the last class does not match everybody")
    assert reading.config is not None


def test_a_header_that_nobody_may_send_is_an_error() -> None:
    text = "upstream: {host: h}\nlisten:\n- {address: 127.0.0.1:2121, proxy_protocol: on}\n"
    (problem,) = examine(text, "f").problems
    assert (problem.severity, problem.key) == ("error", "listen.proxy_protocol")


def test_balancers_whose_header_is_not_read_are_worth_a_warning() -> None:
    text = "upstream: {host: h}\nlisten:\n- {address: 127.0.0.1:2121, trusted: 10.0.0.1}\n"
    (problem,) = examine(text, "f").problems
    assert (problem.severity, problem.key) == ("warning", "listen.trusted")


def test_a_class_that_requires_tls_needs_a_listener_that_offers_it() -> None:
    text = "upstream: {host: a}\nclients: [{name: x, require: login}]"
    assert told(text) == [
        "f:2:30: clients.require: login would refuse this class: no listener offers TLS"
    ]
    offered = "\nlisten: [{address: 127.0.0.1:2121, tls: explicit, certificate: c.pem}]"
    assert told(text + offered) == []


@pytest.mark.parametrize(
    ("port", "tls", "wanted"),
    [
        (990, "explicit", "from the first byte: implicit"),
        (990, "off", "from the first byte: implicit"),
        (21, "implicit", "only behind AUTH: explicit"),
        (990, "implicit", ""),
        (21, "off", ""),
        (2121, "implicit", ""),
    ],
)
def test_a_port_that_mostly_speaks_tls_otherwise_is_a_warning(
    port: int, tls: str, wanted: str
) -> None:
    problems = told(f"upstream: {{host: a, port: {port}, tls: {tls}}}")
    assert len(problems) == bool(wanted)
    for problem in problems:
        assert "warning: upstream.tls: " in problem
        assert problem.endswith(wanted)
