from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.shaping.stake import OnStoreDown, Terms
from proxy.store.group import Group, Membership

MEMBER = Membership(
    store="unix:///run/redis.sock",
    group="ftp.example.com:21",
    terms=Terms(60.0, OnStoreDown.LOCAL_SHARE),
    recovery=30.0,
    floor=0,
    instances=1,
    cuts=False,
)


def group(membership: Membership | None, cut: Callable[[], None] = lambda: None) -> Group:
    return Group(membership, clock=lambda: 0.0, announce=lambda event: None, cut=cut)


async def test_without_a_store_nothing_is_shared() -> None:
    alone = group(None)
    assert alone.store is None
    assert alone.slots("") is None
    assert alone.seats("") is None
    await alone.keep_in_touch()
    await alone.leave()


def test_who_is_alone_does_not_load_what_talks_to_a_store() -> None:
    command = "import sys, proxy.rooms; sys.exit('redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0


def test_things_are_shared_under_one_name_for_each_address() -> None:
    one = group(MEMBER)
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


def test_a_membership_does_not_show_its_password() -> None:
    assert "secret" not in repr(replace(MEMBER, store="redis://:secret@localhost:6379/0"))


@pytest.mark.parametrize("cuts", [False, True])
async def test_connections_are_cut_only_if_so_configured(tmp_path: Path, cuts: bool) -> None:
    told: list[int] = []
    one = group(replace(MEMBER, store=f"unix://{tmp_path}/none", cuts=cuts), lambda: told.append(1))
    assert one.store is not None
    await one.store.talk()  # nobody is there, and it has never had a lease
    await one.leave()
    assert bool(told) == cuts
