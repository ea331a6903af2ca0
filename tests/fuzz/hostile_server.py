"""A server that is honest with one user and lies to all others, as chance will have it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable

from tests.support.honest import HONEST, HangUp
from tests.support.misdeeds import hangs_up, keeps_silent, keeps_then, resets, sends_then, spits
from tests.support.scripted import Handler, Scripted, Visit

TRANSFERS = frozenset({"RETR", "LIST", "NLST", "STOR", "APPE"})
UPLOADS = frozenset({"STOR", "APPE"})
PORTS = frozenset({"PASV", "EPSV"})
CODES = (
    *(110, 120, 125, 150, 200, 211, 213, 220, 221, 225, 226, 227, 229, 230, 234, 250, 257, 331),
    *(
        332,
        350,
        421,
        425,
        426,
        430,
        450,
        451,
        452,
        500,
        501,
        502,
        503,
        504,
        522,
        530,
        550,
        0,
        99,
        600,
        999,
    ),
)
ADDRESSES = (
    "227 (999,1,2,3,4,5)",
    "227 Entering (127,0,0,1,0,0)",
    "227 Entering (10,11,12,13,255,255).",
    "227 ok",
    "227-Entering\r\n227 (127,0,0,1,1,1)",
    "229 Extended (|||99999|)",
    "229 (||||)",
    "227 " + "1," * 500,
)


class Liar:
    """What it does to everybody but `honest_with`."""

    def __init__(self, server: Scripted, honest_with: bytes, seed: int) -> None:
        self._honest_with = honest_with
        self._chance = random.Random(seed)
        for verb in HONEST:
            server.always[verb] = self._handler(verb)

    def _handler(self, verb: str) -> Handler:
        async def answer(visit: Visit, argument: bytes) -> None:
            chance = self._chance.random()
            at_ease = not visit.user or visit.user == self._honest_with or verb == "USER"
            if verb in TRANSFERS and not visit.has_data_port:
                await visit.say("425 Where to?")  # it has lied about its port
            elif at_ease or chance < (0.95 if verb == "PASS" else 0.5):
                await visit.obey_normally(verb, argument)
            else:
                with contextlib.suppress(OSError):
                    await self._misdeed(verb, visit)(visit, argument)

        return answer

    def _misdeed(self, verb: str, visit: Visit) -> Handler:
        choices: list[Callable[[Visit], Handler]] = [self._words] * 4
        choices += [lambda _: hangs_up, lambda _: resets, lambda _: keeps_silent, self._speaks_late]
        if verb in UPLOADS:
            choices += [self._loses_upload] * 4
        elif verb in TRANSFERS:
            choices += [self._loses_download] * 4
        elif verb in PORTS:
            choices += [lambda _: spits(self._chance.choice(ADDRESSES).encode() + b"\r\n")] * 4
        return self._chance.choice(choices)(visit)

    def _words(self, visit: Visit) -> Handler:
        """Say something that is no answer, or hardly one; it names its user."""
        chance, user = self._chance, visit.user
        code = b"%03d" % chance.choice(CODES)
        said = [
            code + b" " + user + b"\r\n",
            code + b"-" + user + b"\r\n inner\r\n999 no end\r\n" + code + b" end\r\n",
            code + b"-never ends\r\n",
            code + b" one\r\n" + code + b" two " + user + b"\r\n",
            code + b" bare\n",
            code + b" cr\rin\r\0side\r\n",
            code + b"\r\n",
            b"\xff\xf4\xff\xf2" + code + b" telnet\r\n",
            code + b" " + b"x" * 20_000 + b"\r\n",
            code + b"-\r\n" + (b" " + b"y" * 1000 + b"\r\n") * 2000,
            chance.randbytes(chance.randrange(1, 300)) + b"\r\n",
            b"\r\n" * chance.randrange(1, 50),
            b"421 go away\r\n",
        ]
        return spits(chance.choice(said))

    def _speaks_late(self, _: Visit) -> Handler:
        """Answer in crumbs, then say one thing more."""
        more = self._chance.random() < 0.5

        async def answer(visit: Visit, argument: bytes) -> None:
            for crumb in (b"2", b"00", b" cr", b"umb\r", b"\n"):
                await visit.send(crumb)
                await asyncio.sleep(0.002)
            if more:
                await asyncio.sleep(0.01)
                await visit.say("226 out of turn")

        return answer

    def _loses_download(self, _: Visit) -> Handler:
        chance = self._chance
        data = chance.randbytes(chance.choice((0, 1, 1000, 200_000)))
        word = chance.choice(("226 Done.", "426 Broken.", "451 Broken.", "226 A\r\n226 B", "150 x"))
        return sends_then(data, word, reset=chance.random() < 0.5, hang_up=chance.random() < 0.3)

    def _loses_upload(self, _: Visit) -> Handler:
        chance = self._chance
        if chance.random() < 0.3:
            return _answers_at_once
        word = chance.choice(("226 Done.", "426 Broken.", "451 Broken.", "452 Full.", "150 x"))
        kept = chance.choice((0, 1, 1000))
        return keeps_then(kept, word, taken=1, hang_up=chance.random() < 0.3)


async def _answers_at_once(visit: Visit, argument: bytes) -> None:
    """Say that all is well before anything came, and close the data connection unread."""
    await visit.say("150 Send it.")
    await visit.say("226 Stored.")
    (await visit.data()).close()
    if argument.endswith(b"x"):
        raise HangUp
