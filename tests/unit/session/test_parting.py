from __future__ import annotations

from proxy.ftp.reply import Reply
from proxy.refusals import Reason
from proxy.session.parting import LINGER, Goodbye
from tests.support.house import house
from tests.support.raw_client import read_all
from tests.support.scripted import scripted


async def test_the_last_words_come_with_the_fin_at_once_and_a_client_may_still_talk() -> None:
    async with scripted() as server, house(server) as home, home.guest() as client:
        await client.say("QUIT", "NOOP")
        assert await read_all(client.sock) == b"221 Goodbye.\r\n"
        await client.say("NOOP")


def test_who_is_refused_for_want_of_descriptors_keeps_none() -> None:
    reply = Reply.of(421, "Sorry.")
    assert Goodbye(Reason.DESCRIPTORS.value, reply).linger == 0.0
    assert Goodbye(Reason.IDLE.value, reply).linger == LINGER
