"""The proxy's configuration follows from the scenario, and is one it accepts."""

from __future__ import annotations

import yaml

from loadtest.proxied import configuration
from proxy.config import parse

from .examples import scenario

# Where the server is, the proxy's port, its status page.
PLACES = (("127.0.0.1", 2100), 2121, "127.0.0.1:22000")


def test_the_limits_of_the_scenario_become_the_proxys_own() -> None:
    config = configuration(scenario(), *PLACES)
    read = parse(yaml.safe_dump(config), "made.yaml")
    assert read.upstream.sessions == 2
    assert (read.budget.connections, read.budget.time_wait) == (10, 1.0)
    assert read.budget.enforce == "on"


def test_without_a_firewall_there_is_no_budget() -> None:
    bare = scenario().model_copy(update={"firewall": type(scenario().firewall)()})
    read = parse(yaml.safe_dump(configuration(bare, *PLACES)), "made.yaml")
    assert read.budget.enforce == "off"


def test_what_the_scenario_says_about_ftpweir_wins_key_by_key() -> None:
    own = scenario("ftpweir: {upstream: {sessions: '7'}, queue: {max_wait: 5s}}\n")
    read = parse(yaml.safe_dump(configuration(own, *PLACES)), "made.yaml")
    assert (read.upstream.sessions, read.upstream.port, read.queue.max_wait) == (7, 2100, 5.0)


def test_there_is_a_passive_port_for_every_script() -> None:
    crowd = scenario()
    group = crowd.scripts[1].model_copy(update={"count": 10_000})
    config = configuration(crowd.model_copy(update={"scripts": (group,)}), *PLACES)
    first, last = map(int, config["passive"]["ports"].split("-"))
    assert last - first >= 10_000
    assert last < 32_768
