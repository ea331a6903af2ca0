"""The look at the shared store, at a real redis-server and at what is none."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from proxy.ops.doctor.seen import Store
from proxy.ops.doctor.stores import look_at_store
from tests.support.redis import RedisServer


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def look(url: str) -> Store:
    store = look_at_store(url, patience=5.0)
    assert store is not None
    return store


def test_a_good_store_has_no_problem_and_keeps_no_trace(redis: RedisServer) -> None:
    store = look(redis.url)
    assert store.place == str(redis.socket)
    assert (store.problem, store.engine, store.is_replica) == ("", "Redis", False)
    assert store.version.startswith("7.")
    assert store.eviction == "noeviction"
    assert 0 < store.seconds < 5
    assert abs(store.clock_ahead) < 60
    keys = redis.ask("KEYS", "*").split()
    assert all(int(redis.ask("PTTL", key)) < 10_000 for key in keys), "it is gone in seconds"


def test_no_store_is_nothing_to_look_at() -> None:
    assert look_at_store(None) is None


def test_nobody_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        store = look(f"redis://:secret@127.0.0.1:{port}/0")
    assert not store.is_there
    assert store.place == f"127.0.0.1:{port}"
    assert "secret" not in repr(replace(store, problem=""))
    assert "secret" not in store.problem


def test_a_password_that_is_missing_or_wrong(redis: RedisServer) -> None:
    redis.ask("ACL", "SETUSER", "weir", "on", ">right", "+ping", "~ftpweir:*")
    place = f"127.0.0.1:{redis.port}"
    for login in ("weir:wrong", "weir:right"):
        store = look(f"redis://{login}@{place}/0")
        assert store.is_denied
        assert store.place == place


def test_the_rights_that_the_documents_name_are_enough(redis: RedisServer) -> None:
    rights = "+evalsha +script|load +time +info +hgetall +hset +hdel +del +pexpire"
    redis.ask("ACL", "SETUSER", "few", "on", ">right", "~ftpweir:*", *rights.split())
    store = look(f"redis://few:right@127.0.0.1:{redis.port}/0")
    assert store.problem == ""


def test_a_replica_and_a_full_store(redis: RedisServer) -> None:
    redis.ask("CONFIG", "SET", "maxmemory", "1")
    try:
        store = look(redis.url)
        assert store.is_full
        assert store.memory_limit == 1
    finally:
        redis.ask("CONFIG", "SET", "maxmemory", "0")
    redis.ask("REPLICAOF", "127.0.0.1", "1")
    try:
        assert look(redis.url).is_replica
    finally:
        redis.ask("REPLICAOF", "NO", "ONE")


def test_something_that_is_no_redis() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        store = look_at_store(f"redis://127.0.0.1:{port}/0", patience=0.05)
    assert store is not None
    assert not store.is_there
