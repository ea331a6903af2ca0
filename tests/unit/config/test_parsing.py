"""Text to Config: all problems at once, warnings that do not stop, the command line's short way."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from proxy.config.addresses import Address, PortRange
from proxy.config.models import Config
from proxy.config.parsing import Reading, examine, parse, simple, usable
from proxy.config.problem import ConfigError
from proxy.config.serverside import Upstream


def test_a_file_becomes_values_of_their_own_kinds() -> None:
    config = parse(
        """
listen: [127.0.0.1:2121, {address: "[::1]:2121"}]
passive: {address: 192.0.2.1, ports: 4000-4009}
upstream: {host: ftp.example.com, port: 2100, sessions: 3, pooling: session, data: active}
budget: {connections: 100, time_wait: 2400ms, guard: 100ms, headroom: 10%, reserved: 5}
clients:
  - {name: nightly, source: 10.20.0.0/16, user: ["batch-*"], sessions: 20, weight: 2}
  - {name: everyone}
refusals: {transfer_code: 450}
""",
        "f",
    )
    assert [each.address for each in config.listen] == [
        Address("127.0.0.1", 2121),
        Address("::1", 2121),
    ]
    assert config.passive.ports == PortRange(4000, 4009)
    assert (config.upstream.port, config.upstream.pooling, config.upstream.data) == (
        2100,
        "session",
        "active",
    )
    assert (config.budget.limit, config.budget.time_wait, config.budget.guard) == (85, 2.4, 0.1)
    nightly, everyone = config.clients
    assert (nightly.source, nightly.user) == ((ip_network("10.20.0.0/16"),), ("batch-*",))
    assert (nightly.weight, everyone.sessions) == (2.0, None)
    assert config.refusals.transfer_code == 450


def test_every_problem_is_reported_at_once_in_line_order() -> None:
    text = (
        "listem: x\n"
        "upstream: {host: a b, port: 021}\n"
        "budget: {guard: 5, guard: 6s}\n"
        'log: {level: "${GONE}"}\n'
        "heal: {uploads: perhaps}\n"
        "queue: {max_wait: yes}\n"
    )
    with pytest.raises(ConfigError) as caught:
        parse(text, "f")
    found = [(each.line, each.key) for each in caught.value.problems]
    assert found == [
        (1, "listem"),
        (2, "upstream.host"),
        (2, "upstream.port"),
        (3, "budget.guard"),
        (3, "budget.guard"),
        (4, "log.level"),
        (5, "heal.uploads"),
        (6, "queue.max_wait"),
    ]


def test_a_warning_does_not_stop_a_configuration() -> None:
    text = "upstream: {host: a}\nqueue: {max_wait: 55s}"
    assert parse(text, "f").queue.max_wait == 55
    assert [problem.severity for problem in examine(text, "f").problems] == ["warning"]


def test_a_key_written_twice_stops_a_configuration_that_is_right_otherwise() -> None:
    assert examine("upstream: {host: a}\nupstream: {host: b}", "f").config is None


def test_a_text_that_cannot_be_read_has_a_problem_and_no_configuration() -> None:
    reading = examine("a: [", "f")
    assert reading.config is None
    assert len(reading.problems) == 1


def test_the_environment_is_an_argument() -> None:
    config = parse("upstream: {host: '${H}', port: '${P:-2100}'}", "f", {"H": "10.0.0.9"})
    assert (config.upstream.host, config.upstream.port) == ("10.0.0.9", 2100)


def test_the_short_way_is_all_defaults() -> None:
    assert simple("ftp.example.com") == Config(upstream=Upstream(host="ftp.example.com"))
    config = simple("10.0.0.1", 2100, "0.0.0.0:0")
    assert (config.upstream.port, config.listen[0].address) == (2100, Address("0.0.0.0", 0))


def test_a_mistake_on_the_command_line_is_told_without_a_line() -> None:
    with pytest.raises(ConfigError) as caught:
        simple("ftp://a/", 70000, "2121")
    assert [str(problem).partition(": expected")[0] for problem in caught.value.problems] == [
        "command line: listen.address",
        "command line: upstream.host",
        "command line: upstream.port",
    ]


def test_a_reading_without_configuration_raises_its_problems() -> None:
    with pytest.raises(ConfigError):
        usable(Reading(None, ()))
