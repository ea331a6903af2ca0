"""Every key of the configuration reaches a room at a reload, or needs a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from proxy.app import App
from proxy.config import Effect, effect_of, keys
from proxy.events import Reloaded, ReloadRefused
from proxy.ops.herald import Herald
from tests.support.authority import Authority
from tests.support.handed import handed_out
from tests.support.house import config, house
from tests.support.scripted import Scripted, scripted

# For each key that a reload changes, a value that is not the one of house.py.
OTHER_VALUES: dict[str, Any] = {
    "dscp": "af11",
    "heal.downloads": "off",
    "heal.uploads": "on",
    "heal.upload_memory": "1MiB",
    "listen": ["127.0.0.2:0"],
    "passive.address": "192.0.2.9",
    "passive.ports": "29000-29009",
    "upstream.host": "localhost",
    "upstream.port": 2100,
    "upstream.spread": "by-user",
    "upstream.weight": 2,
    "upstream.sessions": 7,
    "upstream.pooling": "session",
    "upstream.data": "active",
    "upstream.pipelining": "on",
    "upstream.bandwidth": 1000,
    "upstream.list_by_stat": "on",
    "upstream.share_listings": "on",
    "upstream.ports": "29010-29019",
    "upstream.session_lifetime": 60.0,
    "upstream.idle_timeout": 7.0,
    "upstream.login_memory": 7.0,
    "upstream.site_harmless": ["HELP"],
    "budget.connections": 50,
    "budget.time_wait": 7.0,
    "budget.profile": "csf",
    "budget.close": "reset",
    "budget.headroom": 0.5,
    "budget.reserved": 7,
    "budget.guard": 7.0,
    "budget.enforce": "shadow",
    "queue.max_wait": 7.0,
    "queue.max_length": 7,
    "clients": [{"name": "others"}],
    "refusals.transfer_code": 450,
    "refusals.delay": 7.0,
    "login.attempts": 7,
    "login.anonymous": "allow",
    "login.delay": 7.0,
    "login.remember": 7.0,
    "timeouts.connect": 7.0,
    "timeouts.login": 7.0,
    "timeouts.idle": 7.0,
    "timeouts.stall": 7.0,
    "timeouts.final": 7.0,
    "timeouts.drain": 7.0,
    "timeouts.drain_lag": 7.0,
    "timeouts.outage": 7.0,
    "timeouts.failover": 7.0,
    "timeouts.hung": 7.0,
    "timeouts.failback": 7.0,
    "log.format": "console",
    "log.level": "error",
    "servers": [{"name": "b", "match": {"user": ["b-*"]}, "upstream": {"host": "192.0.2.1"}}],
}

# Where TLS is not spoken with the server, nobody is handed these.
IN_TLS = {
    f"upstream.{key}"
    for key in ("tls", "verify", "ca", "server_name", "certificate", "key", "min_version")
}


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as server:
        yield server


async def test_every_key_reaches_every_room_that_a_start_would_hand_it_to(
    server: Scripted, tmp_path: Path
) -> None:
    """A key that some room is not handed would be ignored there, without a word."""
    another = {"name": "a", "match": {"user": ["a-*"]}, "upstream": {"host": "192.0.2.1"}}
    # A store that nobody can reach: here it matters only what is shared.
    store = {"store": f"unix://{tmp_path}/none", "sharing": {"group": "group"}}
    sections: dict[str, Any] = store | {"servers": [another]}
    async with house(server, **sections) as home:
        for key, value in OTHER_VALUES.items():
            section, _, name = key.rpartition(".")
            before = handed_out(home.app)
            changed = sections | ({section: {name: value}} if section else {name: value})
            outcome = await home.reload(**changed)
            assert isinstance(outcome, Reloaded), key
            assert handed_out(home.app) == handed_out(begun_with(server, **changed)), key
            assert handed_out(home.app) != before, key
            await home.reload(**sections)
            assert handed_out(home.app) == before, key


def begun_with(server: Scripted, **sections: Any) -> App:
    """Build the rooms of a proxy that has never known another file."""
    return App(config(server, **sections), Herald(log=lambda event: None))


async def test_every_key_about_tls_reaches_those_who_dial(server: Scripted, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pem = authority.issue()
    before = {"tls": "explicit", "ca": str(authority.ca), "certificate": str(pem.certificate)}
    values = before | {
        "tls": "implicit",
        "verify": "off",
        "ca": str(Authority(tmp_path).ca),
        "server_name": "ftp.example.com",
        "certificate": str(authority.issue().certificate),
        "key": str(pem.key),
        "min_version": "1.3",
    }
    assert {f"upstream.{key}" for key in values} == IN_TLS
    async with house(server, upstream=before) as home:
        for key, value in values.items():
            was = told_of_tls(home.app)
            outcome = await home.reload(upstream=before | {key: value})
            assert isinstance(outcome, Reloaded), key
            assert outcome.changed == (f"upstream.{key}",)
            assert told_of_tls(home.app) != was, key
            await home.reload(upstream=before)
        outcome = await home.reload(upstream=before | {"ca": "/nowhere.pem"})
        assert outcome == ReloadRefused(("/nowhere.pem: No such file or directory",))


def told_of_tls(app: App) -> tuple[object, ...]:
    tls = app.tls.servers[""][0]
    assert tls is not None
    return (tls.files, tls.name, tls.is_implicit)


def test_another_value_is_known_for_every_key_that_a_reload_changes() -> None:
    lists = ("listen", "clients", "servers")
    flexible = {
        next((name for name in lists if key.startswith(name)), key)
        for key in keys()
        if effect_of(key) is not Effect.RESTART
    }
    assert flexible - IN_TLS <= set(OTHER_VALUES) <= flexible
