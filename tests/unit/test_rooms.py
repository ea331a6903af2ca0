"""What the rooms are built from, without doors and without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from proxy.config import Config
from proxy.events import Event
from proxy.rooms import SPARE_DESCRIPTORS, Rooms, for_clients
from proxy.store.journal import JournalError


def built(**sections: Any) -> Rooms:
    sections = {"upstream": {"host": "127.0.0.1"}, "state": None, **sections}
    return Rooms(Config.model_validate(sections), {"": [None]}, silent, lambda work: work.close())


def silent(event: Event) -> None:
    """Nobody listens."""


async def test_descriptors_are_left_for_data_when_clients_take_all_others() -> None:
    rooms = built()
    assert rooms.shared.manners.most_descriptors == rooms._descriptors - SPARE_DESCRIPTORS


def test_clients_are_let_in_though_there_are_few_descriptors() -> None:
    assert for_clients(2 * SPARE_DESCRIPTORS) == SPARE_DESCRIPTORS
    assert for_clients(100) == 50


async def test_only_a_budget_that_counts_opens_its_file(tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    assert built(state=state, budget={"enforce": "off"}).servers[0].settled
    rooms = built(state=state)
    assert not rooms.servers[0].settled
    with pytest.raises(JournalError):
        built(state=state)
    rooms.egresses[0].budget.close()


async def test_a_port_offered_to_the_server_rests_as_long_as_the_firewall_remembers_it() -> None:
    rooms = built(budget={"time_wait": 7.0, "guard": 0.5})
    assert rooms.shared.upstream_ports._rest == 7.5
    assert rooms.shared.passive_ports._rest == 0.0
