"""The ways to the servers, and what each is called."""

from __future__ import annotations

from proxy.ops.watched import every_way, name_of
from tests.support.house import house
from tests.support.scripted import scripted


async def test_each_way_to_each_server_has_a_name_of_its_own() -> None:
    async with scripted() as server:
        own = {"host": server.host, "port": server.port}
        two = {"source_addresses": ["127.0.0.2", "127.0.0.3"]}
        other = {"name": "b", "match": {"user": "bob"}, "upstream": own | two}
        async with house(server, servers=[other]) as home:
            names = [name_of(way) for way in every_way(home.app.servers)]
    assert names == ["default", "b/127.0.0.2", "b/127.0.0.3"]
