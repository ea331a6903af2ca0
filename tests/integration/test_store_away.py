"""The store that instances share is new, dies, or is written to by others: what is told of it."""

from __future__ import annotations

import ftplib
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.proxy import Ftpweir
from tests.support.redis import RedisServer
from tests.support.servers import Vsftpd
from tests.support.users import ALICE, BOB
from tests.support.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(120)]


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as redis:
        yield redis


@pytest.fixture
def weir(redis: RedisServer) -> Iterator[Ftpweir]:
    with (
        Vsftpd() as server,
        Ftpweir(
            server,
            upstream={"sessions": 2},
            budget={"connections": 40, "profile": "none"},
            queue={"max_wait": "1s"},
            refusals={"delay": "0s"},
            store=redis.url,
            sharing={"recovery": "5s", "on_store_down": "closed"},
        ) as weir,
    ):
        yield weir


def client(weir: Ftpweir) -> ftplib.FTP:
    one = ftplib.FTP()
    one.connect(weir.host, weir.port, timeout=30)
    return one


def is_served(weir: Ftpweir) -> bool:
    with client(weir) as one:
        try:
            one.login(ALICE.name, ALICE.password)
        except ftplib.error_temp:
            return False
        return True


def refused_login(weir: Ftpweir) -> str:
    with ExitStack() as undo:
        one = client(weir)
        undo.callback(one.close)
        with pytest.raises(ftplib.error_temp) as refused:
            one.login(BOB.name, BOB.password)  # whom no session vouches for
        return str(refused.value)


def test_the_store_is_blamed_for_what_it_keeps_from_us(weir: Ftpweir, redis: RedisServer) -> None:
    assert "Shared store is new" in refused_login(weir)
    until(lambda: is_served(weir), "the store has got to know us")
    with client(weir) as one:
        one.login(ALICE.name, ALICE.password)
        redis.kill()
        until(lambda: weir.events("store lost") != [], "its absence is noticed")
        with pytest.raises(ftplib.error_temp, match="Shared store does not answer") as refused:
            one.retrlines("NLST")
        assert "sharing.on_store_down" in str(refused.value)
        assert "Shared store does not answer" in refused_login(weir)
        redis.start()
        until(lambda: is_served(weir), "it answers again")
        one.nlst()


def test_a_row_that_none_of_us_has_written_is_told_and_costs_a_recovery(
    weir: Ftpweir, redis: RedisServer
) -> None:
    until(lambda: is_served(weir), "the store has got to know us")
    redis.ask("HSET", redis.ask("KEYS", "*:slots"), "a stranger", "whatever")
    until(lambda: weir.events("store unreadable") != [], "it is told")
    until(lambda: is_served(weir), "the store has got to know us again")
    assert weir.events("store lost") == []
