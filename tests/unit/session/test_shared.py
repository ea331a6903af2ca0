from __future__ import annotations

from tests.support.house import house
from tests.support.scripted import scripted


async def test_every_manner_comes_from_its_setting() -> None:
    async with (
        scripted() as server,
        house(
            server,
            timeouts={"idle": 77.0},
            refusals={"transfer_code": 450, "delay": 0.0},
            login={"attempts": 5, "delay": 0.0},
            passive={"address": "192.0.2.9"},
        ) as home,
    ):
        manners = home.app.rooms.shared.manners
        assert manners.idle == 77.0
        assert (manners.transfer_code, manners.refusal_delay) == (450, 0.0)
        assert (manners.login_attempts, manners.login_delay) == (5, 0.0)
        assert manners.passive_address == "192.0.2.9"
        async with home.guest() as client:
            assert "(192,0,2,9," in (await client.ask("PASV")).text
