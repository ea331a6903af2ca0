from __future__ import annotations

import asyncio

import pytest

from proxy.events import LoginFailed, Refused
from proxy.session.login import SESSIONS_WORTH
from tests.support.house import house
from tests.support.scripted import scripted

ATTEMPTS = 2


@pytest.fixture
def login() -> dict[str, object]:
    return {"attempts": ATTEMPTS, "delay": 0.0}


async def test_wrong_passwords_end_the_session(login: dict[str, object]) -> None:
    async with scripted() as server, house(server, login=login) as home:
        server.passwords[b"alice"] = b"secret"
        async with home.client() as client:
            await client.say("USER alice", "PASS wrong", "USER alice", "PASS worse")
            heard = await client.expect(220, 331, 530, 331, 421)
            await client.expect_end()
        assert heard[2].text == "530 Login incorrect."
        assert f"{ATTEMPTS} of {ATTEMPTS}" in heard[-1].text
        assert [event.user for event in home.told(LoginFailed)] == ["alice", "alice"]


async def test_a_source_that_guesses_on_is_not_even_asked(login: dict[str, object]) -> None:
    async with scripted() as server, house(server, login=login) as home:
        server.passwords[b"alice"] = b"secret"
        for _ in range(SESSIONS_WORTH):
            async with home.client() as client:
                await client.say("USER alice", "PASS wrong", "USER alice", "PASS worse")
                await client.expect(220, 331, 530, 331, 421)
        asked = server.count("PASS")
        async with home.client() as client:
            await client.say("USER alice", "PASS secret")
            await client.expect(220, 331, 421)
            await client.expect_end()
        assert server.count("PASS") == asked
        async with home.guest("alice", source="127.0.0.2"):
            pass


async def test_who_guesses_side_by_side_gets_no_more_tries(login: dict[str, object]) -> None:
    async with scripted() as server, house(server, login=login) as home:
        server.passwords[b"alice"] = b"secret"

        async def guess() -> None:
            async with home.client() as client:
                await client.say("USER alice", "PASS wrong")
                await client.expect(220, 331)
                assert (await client.hear()).code in (530, 421)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(5 * SESSIONS_WORTH * ATTEMPTS):
                tasks.create_task(guess())
        assert server.count("PASS") == SESSIONS_WORTH * ATTEMPTS


async def test_a_right_password_forgives_the_source(login: dict[str, object]) -> None:
    async with scripted() as server, house(server, login=login) as home:
        server.passwords[b"alice"] = b"secret"
        for _ in range(SESSIONS_WORTH * ATTEMPTS):
            async with home.client() as client:
                await client.say("USER alice", "PASS wrong", "USER alice", "PASS secret")
                await client.expect(220, 331, 530, 331, 230)
        assert home.told(Refused) == []
