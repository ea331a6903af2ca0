"""One measurement: a ground, a proxy, a crowd, a window, and what was seen in it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median, quantiles

from .crowd import SMALL_SIZE, UPLOADS, Deed, Seen, Window, Wishes, block
from .ground import Ground, bound_buffers, certificate, ground, vsftpd
from .peers import Peer, Place
from .results import Failure, Sample, Toll
from .script import BLOCK
from .toll import tolls
from .works import Tls, Unit, Work


class Broken(Exception):
    """A measurement could not be made; the message says why."""


def measure(files: Path, work: Work, peer: Peer, number: int) -> tuple[Sample, list[Failure]]:
    """Measure one work behind one peer; return what was seen, and what went wrong in it.

    Raise Broken when there is nothing to return.
    """
    deeds = work.deeds_behind(peer)
    with ground(files, work.delay) as here:
        bound_buffers(here, len(deeds))
        place, roots = _start(here, work, peer, len(deeds))
        crowd = here.start(
            here.sides.client, [sys.executable, "-m", "loadtest.bench.crowd"], "crowd"
        )
        ca = str(place.offered) if place.offered is not None else ""
        host, port = peer.address(place)
        _tell(crowd, asdict(Wishes(host, port, deeds, str(files), work.files, ca, work.together)))
        if _hear(crowd, here) != "ready":
            raise Broken(here.complaints())
        now = time.monotonic()
        window = now + work.warm, now + work.warm + work.seconds
        _tell(crowd, window)
        toll, told = _watch(crowd, here, window, [*roots, crowd.pid], is_counted=bool(work.files))
        seen = [Seen(**member) for member in json.loads(told)]
        failures = [it.failure for it in seen if it.failure]
        failures += wrong_uploads(here.root / UPLOADS, deeds, seen)
    where = f"{work.name} behind {peer.name}, round {number}"
    sample = _sample(work, peer, number, window, seen, toll)
    return sample, [Failure(peer.name, f"{where}: {failure}") for failure in failures]


def _start(here: Ground, work: Work, peer: Peer, scripts: int) -> tuple[Place, list[int]]:
    """Start the server and who stands before it; return where, and the processes, server first."""
    sides = here.sides
    shown = None if work.tls is Tls.NOBODY else certificate(here, work.key)
    demanded = shown if work.tls is Tls.SERVER else None
    offered = shown if work.tls is Tls.SCRIPTS else None
    place = Place(
        here.folder,
        sides.client.address,
        sides.server.address,
        scripts,
        work.sessions,
        demanded,
        offered,
    )
    roots = [here.start(sides.server, vsftpd(here, work.sessions, demanded), "vsftpd").pid]
    if peer.beside is not None:
        roots.append(here.start(sides.client, peer.beside(place), "beside").pid)
    if peer.command is not None:
        proxy = here.start(sides.client, peer.command(place), peer.name)
        roots.append(proxy.pid)
        if peer.says_ready and not _hear(proxy, here).startswith("ready"):
            raise Broken(here.complaints())
    return place, roots


def _watch(
    crowd: subprocess.Popen[str],
    here: Ground,
    window: Window,
    roots: list[int],
    *,
    is_counted: bool,
) -> tuple[Toll, str]:
    """Read everybody's processor time when the window opens and when it closes.

    With a counted number of files it closes when they are done.
    """
    begin, end = window
    time.sleep(max(0.0, begin - time.monotonic()))
    before = tolls(roots)
    told = _hear(crowd, here) if is_counted else ""
    time.sleep(0.0 if is_counted else max(0.0, end - time.monotonic()))
    used = [late - early for early, late in zip(before, tolls(roots), strict=True)]
    toll = Toll(server=used[0], scripts=used[-1], proxy=sum(used[1:-1]))
    return toll, told or _hear(crowd, here)


def _tell(crowd: subprocess.Popen[str], what: object) -> None:
    assert crowd.stdin is not None
    crowd.stdin.write(json.dumps(what) + "\n")
    crowd.stdin.flush()


def _hear(program: subprocess.Popen[str], here: Ground) -> str:
    assert program.stdout is not None
    line = program.stdout.readline().rstrip()
    if not line:
        raise Broken(f"{program.args!r} ended: {here.complaints()}")
    return line


def _sample(
    work: Work, peer: Peer, number: int, window: Window, seen: list[Seen], toll: Toll
) -> Sample:
    begin, end = window
    moments = sorted(moment for member in seen for moment in member.moments)
    answers = sorted(answer for member in seen for answer in member.answers)
    if work.unit is Unit.STEADY and len(moments) < 20 or work.unit is Unit.ANSWER and not answers:
        raise Broken(next((it.failure for it in seen if it.failure), "too little was done in time"))
    shares = [it.moved for it in seen]
    return Sample(
        work=work.name,
        unit=work.unit.value,
        peer=peer.name,
        round=number,
        scripts=len(seen),
        seconds=(moments[-1] if work.files else end) - begin,
        files=sum(it.files for it in seen),
        moved=sum(it.moved for it in seen),
        toll=toll,
        deciles=list(deciles(begin, moments)) if work.unit is Unit.STEADY else [],
        answers=answer_times(answers),
        shares=[min(shares), median(shares), max(shares)],
        pause=max(it.pause for it in seen),
    )


def deciles(begin: float, moments: list[float]) -> Iterator[float]:
    """Return the rate of each tenth of the files, in the order in which they were done."""
    tenth = len(moments) // 10
    for part in range(10):
        end = moments[(part + 1) * tenth - 1]
        yield tenth / (end - begin)
        begin = end


def answer_times(times: list[float]) -> list[float]:
    if len(times) < 2:
        return times * 3
    return [median(times), quantiles(times, n=100, method="inclusive")[98], times[-1]]


def wrong_uploads(folder: Path, deeds: list[Deed], seen: list[Seen]) -> list[str]:
    """Compare what is stored with what was sent; a file that was cut is right as far as it goes."""
    wrong: list[str] = []
    for number, (deed, member) in enumerate(zip(deeds, seen, strict=True)):
        if deed is Deed.STORE:
            small = block()[:SMALL_SIZE]
            names = (f"{number}-{file}" for file in range(member.stored))
            wrong += [name for name in names if (folder / name).read_bytes() != small]
        elif deed is Deed.STORE_BULK and not _is_of_blocks(folder / f"{number}-0"):
            wrong.append(f"{number}-0")
    return [f"STOR {name}: other bytes are there" for name in wrong]


def _is_of_blocks(path: Path) -> bool:
    expected = block()
    with path.open("rb") as stored:
        while part := stored.read(BLOCK):
            if part != expected[: len(part)]:
                return False
            if len(part) < BLOCK:
                break  # it may still grow, and would go on in the middle of a block
    return True
