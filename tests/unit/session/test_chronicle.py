from __future__ import annotations

from proxy.events import Changed, LoggedIn, Refused, SessionEnded
from tests.support.house import house
from tests.support.scripted import scripted

FILES = {b"/a": b"12345"}


async def test_a_login_a_change_and_the_end_are_told_with_who_it_was() -> None:
    async with scripted(FILES) as server, house(server) as home:
        async with home.guest("bob") as client:
            assert await client.fetch("RETR a") == b"12345"
            await client.store("STOR b", b"123")
            assert (await client.ask("DELE a")).code == 250
            assert (await client.ask("QUIT")).code == 221
        await home.until(lambda: home.told(SessionEnded))
        (login,) = home.told(LoggedIn)
        assert (login.user, login.source, login.client_class) == ("bob", "127.0.0.1", "everyone")
        (change,) = home.told(Changed)
        assert (change.verb, change.path, change.code) == ("DELE", "a", 250)
        (end,) = home.told(SessionEnded)
        assert end.session == login.session == change.session
        assert (end.transfers, end.bytes_down, end.bytes_up) == (2, 5, 3)


async def test_both_names_of_a_renaming_are_told() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        assert (await client.ask("RNFR a")).code == 350
        assert (await client.ask("RNTO b")).code == 250
        (change,) = home.told(Changed)
        assert (change.verb, change.path) == ("RNTO", "a -> b")


async def test_what_follows_a_site_word_stays_a_secret() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        assert (await client.ask("SITE PSWD old new")).code == 200
        (change,) = home.told(Changed)
        assert (change.verb, change.path) == ("SITE", "PSWD")


async def test_looking_changes_nothing() -> None:
    async with scripted(FILES) as server, house(server) as home, home.guest() as client:
        assert (await client.ask("SIZE a")).code == 213
        assert home.told(Changed) == []


async def test_a_refusal_names_the_server_that_its_client_has_chosen() -> None:
    async with scripted(FILES) as server:
        upstream = {"host": server.host, "port": server.port}
        other = {"name": "b", "match": {"user": "bob"}, "upstream": upstream}
        slow = [{"name": "slow", "transfers_per_minute": 1}]
        async with house(server, servers=[other], clients=slow) as home, home.guest("bob") as bob:
            await bob.fetch("RETR a")
            with await bob.passive():
                assert (await bob.ask("RETR a")).code == 425
            (refused,) = home.told(Refused)
            assert (refused.reason, refused.server) == ("class_rate", "b")
