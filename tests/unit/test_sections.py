"""What each room is handed: the room's own words for the configuration's keys."""

from __future__ import annotations

from typing import Any

from proxy import sections
from proxy.config import Config
from proxy.net.replay import ReplayMemory
from proxy.shaping.holds import PROFILES, explicit
from proxy.shaping.tolerance import Enforce
from proxy.upstream.habits import Habits
from proxy.upstream.order import Order
from proxy.upstream.reach import Reach

REACH = Reach("passive", Order("off"))
MEMORY = ReplayMemory(1 << 20)


def config(**keys: Any) -> Config:
    upstream = {"host": "ftp.example.com"} | keys.pop("upstream", {})
    return Config.model_validate({"upstream": upstream, **keys})


def test_a_profile_says_how_long_connections_count_or_a_time_does() -> None:
    assert sections.tolerance(config(budget={"profile": "csf"})).holds == PROFILES["csf"]
    assert sections.tolerance(config(budget={"time_wait": 30.0})).holds == explicit(30.0)


def test_the_budget_is_enforced_as_the_file_says() -> None:
    told = sections.tolerance(config(budget={"enforce": "shadow", "guard": 7.0}))
    assert (told.enforce, told.guard) == (Enforce.SHADOW, 7.0)


def test_only_close_reset_ends_by_reset() -> None:
    habits = Habits()
    for close, resets in (("fin", False), ("reset", True)):
        told = config(budget={"close": close})
        assert sections.resets(told) is resets
        assert sections.limits(told).resets is resets
        assert (sections.exchange_rules(told, habits, REACH, MEMORY).habits is habits) is resets


def test_sessions_with_the_server_follow_their_keys() -> None:
    upstream = {"port": 2100, "sessions": "auto", "idle_timeout": 7.0, "login_memory": 0.0}
    told = config(upstream=upstream)
    limits = sections.limits(told)
    assert (limits.sessions, limits.idle, limits.login_memory) == (None, 7.0, 0.0)
    dialer = sections.dialer(told, None, 0, None, lambda: True)
    assert (dialer.host, dialer.port, dialer.is_hurried()) == ("ftp.example.com", 2100, True)


def test_data_is_exchanged_by_the_timeouts() -> None:
    told = config(
        upstream={"data": "active"}, timeouts={"connect": 1.0, "stall": 2.0, "final": 3.0}
    )
    rules = sections.exchange_rules(told, Habits(), REACH, MEMORY)
    assert rules.reach is REACH
    assert (rules.connect, rules.stall, rules.final) == (1.0, 2.0, 3.0)


def test_listings_take_a_data_connection_unless_told_otherwise() -> None:
    assert not sections.listing_ways(config())
    assert sections.listing_ways(config(upstream={"share_listings": "on"}))
    assert sections.listing_ways(config(upstream={"list_by_stat": "on"}))


def test_clients_are_treated_as_the_file_says() -> None:
    manners = sections.manners(config(passive={"address": "192.0.2.9"}), 1000)
    assert (manners.passive_address, manners.most_descriptors) == ("192.0.2.9", 1000)
    assert sections.manners(config(), 1000).passive_address is None


def test_only_who_asks_for_it_has_uploads_healed() -> None:
    for uploads, heals in (("off", False), ("on", True)):
        told = config(heal={"uploads": uploads})
        rules = sections.exchange_rules(told, Habits(), REACH, MEMORY)
        assert (rules.upload_vigilance is not None) is heals


def test_who_has_a_store_shares_by_its_servers_name_or_by_a_given_one() -> None:
    assert sections.membership(config()) is None
    found = [
        sections.membership(config(store="redis://localhost:6379/0", sharing=sharing))
        for sharing in ({}, {"group": "north", "floor": 3, "on_partition": "abort"})
    ]
    assert [one and (one.group, one.floor, one.cuts) for one in found] == [
        ("ftp.example.com:21", 0, False),
        ("north", 3, True),
    ]
