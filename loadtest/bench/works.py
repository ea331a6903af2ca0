"""What is measured, and before whom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from .crowd import Deed
from .peers import DIRECT, EVERYBODY, FTPWEIR, HAPROXY, MOD_PROXY, PEERS, TWO_WORKERS, Peer


class Tls(Enum):
    """With whom a proxy speaks it."""

    NOBODY = "nobody"
    SERVER = "the server"  # which demands it
    SCRIPTS = "the scripts"


class Unit(Enum):
    """What a work's figure is; more is better but for the answer."""

    GIB = "GiB/s"
    FILES = "files/s"
    STEADY = "last / first decile"
    ANSWER = "p99 ms"
    LOGINS = "logins/s"


@dataclass(frozen=True, slots=True)
class Work:
    """One thing that scripts do, all of them at once."""

    name: str
    title: str
    deeds: tuple[Deed, ...]  # of each script
    unit: Unit
    rounds: int
    peers: tuple[Peer, ...] = PEERS
    warm: float = 0.4  # seconds before the window opens
    seconds: float = 1.5  # the window; with `files`, the longest it may take
    delay: float = 0.0  # of the cable to the server, one way
    sessions: int = 0  # that the server allows; 0: any number
    files: int = 0  # of each script; 0: as many as it can
    tls: Tls = Tls.NOBODY
    key: int = 2048  # bits of the certificate's
    together: bool = False  # all scripts on one processor, which then divides its time equally

    def deeds_behind(self, peer: Peer) -> list[Deed]:
        """Return what the scripts do behind a peer.

        Where the server limits sessions, only ftpweir can serve more scripts than that.
        """
        if self.sessions and peer is not FTPWEIR:
            return list(self.deeds[: self.sessions])
        return list(self.deeds)

    def in_a_hurry(self) -> Work:
        """Return the same, once and short: to see that it works, not how fast."""
        return replace(
            self,
            rounds=1,
            warm=min(2.0, self.warm),
            seconds=min(0.5, self.seconds),
            files=self.files // 25,
        )


def _works() -> tuple[Work, ...]:
    fetch, store = Deed.FETCH, Deed.STORE
    works = [
        Work(
            f"bulk-{scripts}-{way}",
            f"bulk {way}, {scripts} at once",
            (deed,) * scripts,
            Unit.GIB,
            rounds,
        )
        for deed, way, scripts, rounds in (
            (Deed.FETCH_BULK, "down", 1, 5),
            (Deed.FETCH_BULK, "down", 8, 5),
            (Deed.STORE_BULK, "up", 1, 3),
            (Deed.STORE_BULK, "up", 8, 3),
        )
    ]
    works += [
        Work(
            f"small-{scripts}-{way}",
            f"1 KB files {way}, {scripts} scripts",
            (deed,) * scripts,
            Unit.FILES,
            rounds,
            peers=EVERYBODY if (deed, scripts) == (fetch, 32) else PEERS,
        )
        for deed, way, scripts, rounds in (
            (fetch, "down", 1, 3),
            (fetch, "down", 8, 5),
            (fetch, "down", 32, 3),
            (store, "up", 1, 2),
            (store, "up", 8, 2),
            (store, "up", 32, 2),
        )
    ]
    # Those that know no FTP cannot put it on.
    in_tls = (MOD_PROXY, FTPWEIR)
    works += [
        Work(
            f"{prefix}-{name}",
            f"{title}, {tls.value} in TLS",
            (deed,) * scripts,
            unit,
            2,
            peers=in_tls,
            tls=tls,
        )
        for prefix, tls in (("tls", Tls.SERVER), ("tls-scripts", Tls.SCRIPTS))
        for name, title, deed, scripts, unit in (
            ("bulk-1-down", "bulk down, 1 at once", Deed.FETCH_BULK, 1, Unit.GIB),
            ("bulk-8-down", "bulk down, 8 at once", Deed.FETCH_BULK, 8, Unit.GIB),
            ("bulk-1-up", "bulk up, 1 at once", Deed.STORE_BULK, 1, Unit.GIB),
            ("small-8-down", "1 KB files down, 8 scripts", fetch, 8, Unit.FILES),
        )
    ]
    works += [
        Work(
            "tls-scripts-logins",
            "logins of 16 scripts, the scripts in TLS, a key of 4096 bits",
            (Deed.LOG_IN,) * 16,
            Unit.LOGINS,
            3,
            peers=(*in_tls, TWO_WORKERS),
            warm=1.0,
            tls=Tls.SCRIPTS,
            key=4096,
        ),
        Work(
            "sustained",
            "20,000 files of 1 KB, 8 scripts",
            (fetch,) * 8,
            Unit.STEADY,
            1,
            peers=(DIRECT, MOD_PROXY, FTPWEIR),
            warm=0.5,
            seconds=60.0,
            files=2500,
        ),
        Work(
            "wan-down",
            "1 KB files down, 20 ms away, 2 sessions",
            (fetch,) * 8,
            Unit.FILES,
            1,
            peers=(DIRECT, MOD_PROXY, FTPWEIR),
            warm=18.0,  # ftpweir has learned what the server is like after 200 files
            seconds=5.0,
            delay=0.01,
            sessions=2,
        ),
        Work(
            "wan-up",
            "1 KB files up, 20 ms away, 2 sessions",
            (store,) * 8,
            Unit.FILES,
            1,
            peers=(DIRECT, MOD_PROXY, FTPWEIR),
            warm=2.0,
            seconds=5.0,
            delay=0.01,
            sessions=2,
        ),
        Work(
            "answer",
            "NOOP while 10 bulk transfers run",
            (Deed.ASK, *(Deed.FETCH_BULK,) * 10),
            Unit.ANSWER,
            3,
            peers=(DIRECT, HAPROXY, MOD_PROXY, FTPWEIR),
            seconds=3.0,
        ),
        Work(
            "bulk-200-down",
            "bulk down, 200 at once",
            (Deed.FETCH_BULK,) * 200,
            Unit.GIB,
            1,
            peers=(DIRECT, HAPROXY, MOD_PROXY, FTPWEIR),
            warm=3.0,
            seconds=15.0,  # in less, chance makes shares unequal even straight at the server
            together=True,  # else now and then one has a processor to itself, and 199 the other
        ),
    ]
    return tuple(works)


WORKS: Final = _works()
