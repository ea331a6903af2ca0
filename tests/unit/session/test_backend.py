from __future__ import annotations

from tests.support.house import house
from tests.support.scripted import scripted


async def test_what_a_session_has_of_its_server_comes_from_its_settings() -> None:
    own = {"pooling": "session", "site_harmless": ["CHMOD"], "share_listings": "on"}
    async with scripted() as server, house(server, upstream=own) as home:
        backend = home.app.servers[0].backend
        assert backend.name == ""
        assert backend.rules.keeps_session
        assert backend.rules.site_harmless == {"CHMOD"}
        assert backend.rules.listings is not None
