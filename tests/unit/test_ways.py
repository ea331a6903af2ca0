"""One way for each server from each address of ours, each counted by itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from proxy.config import Config
from proxy.net.replay import ReplayMemory
from proxy.sections import membership
from proxy.store.group import Group
from proxy.upstream.fleet import Spread
from proxy.ways import CommonGround, Ways, way_name


def ways(**sections: Any) -> Ways:
    upstream = {"host": "ftp.example.com"} | sections.pop("upstream", {})
    config = Config.model_validate({"state": None, "upstream": upstream, **sections})
    group = Group(
        membership(config), clock=lambda: 0.0, announce=lambda event: None, cut=lambda: None
    )
    ground = CommonGround(
        group=group,
        replays=ReplayMemory(0),
        clock=lambda: 0.0,
        announce=lambda event: None,
        spawn=lambda work: work.close(),
    )
    return Ways("", config, [None] * len(config.upstream.servers), ground)


TWO_BY_TWO = {"standby": ["ftp2:2121"], "source_addresses": ["127.0.0.2", "127.0.0.3"]}


async def test_each_server_is_reached_from_each_address() -> None:
    built = ways(upstream=TWO_BY_TWO)
    assert [(server.name, len(server.ways)) for server in built.fleet.servers] == [
        ("ftp.example.com:21", 2),
        ("ftp2:2121", 2),
    ]
    assert [way.name for way in built.fleet.ways] == [
        "127.0.0.2",
        "127.0.0.3",
        "127.0.0.2@ftp2:2121",
        "127.0.0.3@ftp2:2121",
    ]
    assert [way.pool.dialer.port for way in built.fleet.ways] == [21, 21, 2121, 2121]


def test_a_way_is_named_by_its_server_and_its_place() -> None:
    assert way_name("", "") == ""
    assert way_name("b", "192.0.2.1@ftp2:21") == "b/192.0.2.1@ftp2:21"


async def test_each_server_has_its_weight() -> None:
    standby = ["ftp2", {"server": "ftp3", "weight": 2.5}]
    built = ways(upstream={"standby": standby, "weight": 3})
    assert [server.weight for server in built.fleet.servers] == [3.0, 1.0, 2.5]


async def test_each_way_has_a_state_file_and_the_first_keeps_its_name(tmp_path: Path) -> None:
    built = ways(upstream={"standby": ["ftp2"]}, state=str(tmp_path / "state"))
    assert sorted(os.listdir(tmp_path)) == ["state", "state.ftp2:21"]
    assert not built.began_off
    for way in built.fleet.ways:
        way.budget.close()


async def test_a_budget_that_is_not_kept_has_no_file(tmp_path: Path) -> None:
    built = ways(state=str(tmp_path / "state"), budget={"enforce": "off"})
    assert os.listdir(tmp_path) == []
    assert built.began_off


async def test_group_is_hurried_where_there_is_only_one_server() -> None:
    alone, two = ways(), ways(upstream={"standby": ["ftp2"]})
    assert not alone.fleet.ways[0].pool.dialer.is_hurried()
    assert all(way.pool.dialer.is_hurried() for way in two.fleet.ways)


async def test_another_configuration_reaches_every_way() -> None:
    built = ways(upstream=TWO_BY_TWO)
    upstream = {"host": "other.example.com", "spread": "by-user", "weight": 4, "sessions": 7}
    config = Config.model_validate(
        {"upstream": upstream | TWO_BY_TWO, "budget": {"connections": 100, "headroom": 0.0}}
    )
    built.adopt(config, [None, None], renew=True, relearn=True)
    assert [server.weight for server in built.fleet.servers] == [4.0, 1.0]
    assert built.fleet.servers[0].name == "other.example.com:21"
    assert built.fleet.spread is Spread.BY_USER
    for way in built.fleet.ways:
        assert (way.budget.limit, way.pool.places.limit) == (100, 7)
        assert way.pool.dialer.is_hurried()
