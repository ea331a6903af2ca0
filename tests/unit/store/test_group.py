from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.config import Config
from proxy.store.group import Group


def group(cut: Callable[[], None] = lambda: None, **sections: Any) -> Group:
    config = Config.model_validate({"upstream": {"host": "ftp.example.com"}, **sections})
    return Group(config, clock=lambda: 0.0, announce=lambda event: None, cut=cut)


async def test_without_a_store_nothing_is_shared() -> None:
    alone = group()
    assert alone.store is None
    assert alone.slots("") is None
    assert alone.seats("") is None
    await alone.keep_in_touch()
    await alone.leave()


def test_things_are_shared_under_one_name_for_each_address() -> None:
    one = group(store="unix:///run/redis.sock")
    keys = [
        share.key
        for way in ("", "192.0.2.1")
        for share in (one.slots(way), one.seats(way))
        if share is not None
    ]
    prefix = "ftpweir:2:{ftp.example.com:21}:"
    assert keys == [
        f"{prefix}{name}" for name in ("slots", "seats", "slots:192.0.2.1", "seats:192.0.2.1")
    ]


def test_the_name_of_a_group_can_be_given() -> None:
    one = group(store="redis://localhost:6379/0", sharing={"group": "north"})
    share = one.seats("")
    assert share is not None
    assert share.key == "ftpweir:2:{north}:seats"


@pytest.mark.parametrize(("choice", "cuts"), [("overshoot", 0), ("abort", 1)])
async def test_connections_are_cut_only_if_so_configured(
    tmp_path: Path, choice: str, cuts: int
) -> None:
    told: list[int] = []
    one = group(
        lambda: told.append(1), store=f"unix://{tmp_path}/none", sharing={"on_partition": choice}
    )
    assert one.store is not None
    await one.store.talk()  # nobody is there, and it has never had a lease
    await one.leave()
    assert len(told) == cuts
