"""What belongs to one server is built for it alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from proxy.config import Config
from proxy.rooms import Rooms
from proxy.shaping.holds import Ending
from proxy.shaping.ledger import Kind
from proxy.store.journal import JournalError


def built(**sections: Any) -> Rooms:
    defaults = {
        "upstream": {"host": "192.0.2.1"},
        "servers": [{"name": "b", "match": {"user": "b"}, "upstream": {"host": "192.0.2.2"}}],
        "state": None,
    }
    config = Config.model_validate(defaults | sections)
    no_tls = dict.fromkeys(config.by_server, [None])
    return Rooms(config, no_tls, lambda event: None, lambda work: work.close())


async def test_each_server_has_its_own_budget_queue_and_throttle() -> None:
    rooms = built(budget={"connections": 50, "headroom": 0.0})
    first, second = rooms.servers
    assert [egress.name for egress in rooms.egresses] == ["", "b"]
    assert [egress.budget.limit for egress in rooms.egresses] == [50, 50]
    assert first.egresses[0].budget is not second.egresses[0].budget
    assert first.gate is not second.gate
    assert first.backend.throttle is not second.backend.throttle


async def test_each_server_has_a_state_file_of_its_own(tmp_path: Path) -> None:
    rooms = built(state=str(tmp_path / "state"))
    assert sorted(os.listdir(tmp_path)) == ["state", "state.b"]
    with pytest.raises(JournalError):
        built(state=str(tmp_path / "state"))
    rooms.close_books()
    built(state=str(tmp_path / "state")).close_books()


async def test_a_server_that_was_removed_is_over_once_its_firewall_has_forgotten_us() -> None:
    rooms = built()
    second = rooms.servers[1]
    states = [second.is_over]
    second.retire()
    states.append(second.is_over)
    assert not second.fleet.is_wanted
    second.adopt(second.config, (), [None])
    assert [*states, second.is_over] == [False, True, False]


async def test_a_server_that_was_removed_is_shared_until_its_firewall_has_forgotten_us(
    tmp_path: Path,
) -> None:
    budget = {"time_wait": 0.0, "guard": 0.0, "enforce": "off"}
    rooms = built(store=f"unix://{tmp_path}/none", budget=budget)
    second, (egress,) = rooms.servers[1], rooms.servers[1].egresses
    slot = egress.budget.reserve(Kind.DOWNLOAD, "")
    assert slot is not None
    shared = [keys_of(rooms)]
    second.retire()
    shared.append(keys_of(rooms))
    egress.budget.settle(slot, Ending.FIN)
    second.sweep()
    shared.append(keys_of(rooms))
    second.adopt(second.config, (), [None])
    shared.append(keys_of(rooms))
    assert shared == [
        {"slots", "seats", "b"},
        {"slots", "seats", "b"},
        {"slots", "seats"},
        shared[0],
    ]


def keys_of(rooms: Rooms) -> set[str]:
    """Return how the names of what is shared end."""
    assert rooms.group.store is not None
    return {share.key.rpartition(":")[2] for share in rooms.group.store._lasting}
