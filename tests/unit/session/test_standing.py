"""In which class a session counts: by address, by user, and after a reload."""

from __future__ import annotations

from proxy.events import SessionEnded
from tests.support.house import house
from tests.support.scripted import scripted

FILES = {b"/file": b"content"}


async def test_a_session_counts_in_the_class_of_its_user_once_it_logs_in() -> None:
    clients = [{"name": "batch", "user": ["batch-*"], "sessions": 1}, {"name": "everyone"}]
    async with (
        scripted(FILES) as server,
        house(server, clients=clients) as home,
        home.guest("batch-1"),
        home.client() as second,
    ):
        await second.expect(220)
        await second.ask("USER batch-2")
        assert (await second.ask("PASS secret")).code == 421
        await second.expect_end()


async def test_a_class_has_so_many_sessions_of_each_source() -> None:
    async with (
        scripted(FILES) as server,
        house(server, clients=[{"name": "few", "sessions": 1}]) as home,
        home.client() as one,
        home.client(source="127.0.0.2") as other,
    ):
        await one.expect(220)
        await other.expect(220)
        async with home.client() as another:
            told = await another.hear()
            assert told.code == 421
            assert "for 127.0.0.1 (1 of 1, clients.sessions)" in told.text
        await one.ask("QUIT")
        await home.until(lambda: len(home.app.roster) == 1)
        async with home.client() as another:
            await another.expect(220)


async def test_after_a_reload_the_next_transfer_counts_in_the_class_that_matches_now() -> None:
    async with (
        scripted(FILES) as server,
        house(server, clients=[{"name": "before"}]) as home,
        home.guest() as client,
    ):
        await home.reload(clients=[{"name": "after", "sessions": 1}])
        assert await client.fetch("RETR /file") == b"content"
        async with home.client() as second:
            assert (await second.hear()).code == 421
            await second.expect_end()
        await home.until(lambda: home.told(SessionEnded))
        assert {ended.client_class for ended in home.told(SessionEnded)} == {"after"}


async def test_sessions_above_a_lowered_cap_stay_and_go_by_attrition() -> None:
    async with (
        scripted(FILES) as server,
        house(server) as home,
        home.guest() as one,
        home.guest() as two,
    ):
        await home.reload(clients=[{"name": "everyone", "sessions": 1}])
        for client in (one, two):
            assert await client.fetch("RETR /file") == b"content"
        await two.ask("QUIT")
        async with home.client() as third:
            assert (await third.hear()).code == 421


async def test_who_fits_no_class_any_more_is_told_so_at_the_next_transfer() -> None:
    async with (
        scripted(FILES) as server,
        house(server) as home,
        home.guest() as client,
    ):
        await home.reload(clients=[{"name": "others", "source": ["192.0.2.0/24"]}])
        with await client.passive():
            await client.say("RETR /file")
            told = await client.hear()
        assert told.code == 421
        assert "No class of clients fits" in told.text
        await client.expect_end()
