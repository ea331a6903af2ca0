from __future__ import annotations

import pytest

from proxy.events import Refused
from proxy.net.client_channel import ClientChannel
from proxy.refusals import REFUSALS, Declined, Reason, Scope
from proxy.session.chronicle import Chronicle
from proxy.session.standing import Standing
from proxy.session.voice import Voice
from tests.support.dialogues import guest, stranger
from tests.support.house import House, house
from tests.support.scripted import scripted

HOST = "192.0.2.1"


def explain(
    home: House,
    declined: Declined,
    doing: str = "RETR",
    *,
    is_logged_in: bool = True,
    preliminary_sent: bool = False,
) -> tuple[int, str]:
    shared = home.app.rooms.shared
    dialogue = guest() if is_logged_in else stranger()
    chronicle = Chronicle(shared.announce, "s1", HOST, Standing(shared, HOST), dialogue)
    client = ClientChannel(lambda _: None)
    voice = Voice(client, shared, dialogue, chronicle)
    voice.doing = doing
    reply = voice.explain(declined, preliminary_sent)
    client.connection_lost(None)
    return reply.code, reply.lines[0].decode()


async def test_the_code_fits_the_command_that_met_the_refusal() -> None:
    busy = Declined(Reason.UPSTREAM_SESSIONS, used=2, limit=2)
    async with scripted() as server, house(server) as home:
        assert explain(home, busy)[0] == 425
        assert explain(home, busy, "CWD")[0] == 451
        assert explain(home, busy, preliminary_sent=True)[0] == 426
        assert explain(home, busy, "PASS", is_logged_in=False)[0] == 421
        pinned = Declined(Reason.UPSTREAM_LOST, ends_session=True)
        assert explain(home, pinned)[0] == 421


async def test_exactly_what_ends_sessions_is_a_421() -> None:
    async with scripted() as server, house(server) as home:
        for reason, entry in REFUSALS.items():
            code = explain(home, Declined(reason))[0]
            assert (code == 421) is (entry.scope is Scope.SESSION), reason


@pytest.mark.parametrize("code", [425, 450])
async def test_a_listing_is_never_refused_with_450(code: int) -> None:
    refusals = {"transfer_code": code}
    async with scripted() as server, house(server, refusals=refusals) as home:
        assert explain(home, Declined(Reason.BUDGET))[0] == code
        for verb in ("LIST", "NLST", "MLSD"):
            assert explain(home, Declined(Reason.BUDGET), verb)[0] == 425


async def test_the_client_and_the_log_have_the_same_reference() -> None:
    async with scripted() as server, house(server) as home:
        _, line = explain(home, Declined(Reason.BUDGET, used=4, limit=4, retry=3.0))
        told = home.told(Refused)[0]
        assert line == f"425 {told.sentence}"
        assert line.endswith(f"Ref {told.ref}")
        assert (told.session, told.source, told.user) == ("s1", HOST, "alice")
        assert (told.client_class, told.reason, told.code) == ("everyone", "budget", 425)
