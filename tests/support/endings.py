"""Measure what `close: fin` and `close: reset` do to each real server. As root.

`python -m tests.support.endings` prints the rows of a table in docs/TIME_WAIT.md.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from .backend import Backend
from .batch import Batch
from .namespaces import Lab
from .proxy import Ftpweir
from .servers import SERVERS
from .sockets import State
from .users import ALICE

FILES = 200
ROUNDS = 6
# What the four say of a transfer that did not end as it should.
COMPLAINT = re.compile(r"(?i)\b(FAIL|426|451|abort\w*|broken pipe|connection reset)\b")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one server did."""

    good: int  # files with the right content
    replies: set[int]  # final ones, as the proxy heard them
    complaints: list[str]  # lines of the server's log
    time_waits: int  # on the server's side, right afterwards
    per_file: float  # seconds, one script alone


def measure(kind: type[Backend], close: str) -> Seen:
    """Fetch FILES files, one after another."""
    content = os.urandom(3000)
    with (
        Lab() as lab,
        kind(host=lab.server.address, netns=lab.server.name) as server,
        Ftpweir(
            server,
            netns=lab.client.name,
            upstream={"sessions": 1},
            budget={"connections": 1000, "profile": "csf", "close": close},
        ) as weir,
    ):
        server.place("file.bin", content)
        before = len(server.log_text())
        done = Batch(weir.host, weir.port, ALICE.name, ALICE.password, 1, FILES).run(
            lab.client.inside([])
        )
        if done.errors or done.digests != [hashlib.sha256(content).hexdigest()]:
            raise RuntimeError(f"{kind.kind}, {close}: {done.errors}")
        time_waits = lab.server.count(states=frozenset({State.TIME_WAIT}))
        told = server.log_text()[before:].splitlines()
        complaints = [line for line in told if COMPLAINT.search(line)]
        span = max(done.finished) - min(done.finished)
        replies = set(_final_replies(weir.log))
    return Seen(len(done.finished), replies, complaints, time_waits, span / (FILES - 1))


def _final_replies(log: str) -> Iterator[int]:
    for line in log.splitlines():
        if line.startswith("{") and (entry := json.loads(line))["event"] == "transfer ended":
            yield entry["code"]


def main() -> None:
    """Print the rows: everything seen in ROUNDS rounds; of the time median, least and most."""
    for kind in SERVERS:
        rounds: list[dict[str, Seen]] = []
        for number in range(ROUNDS):
            # In turns, and each first as often: the machine's noise falls on both alike.
            order = ("fin", "reset") if number % 2 == 0 else ("reset", "fin")
            rounds.append({close: measure(kind, close) for close in order})
        for close in ("fin", "reset"):
            seen = [one[close] for one in rounds]
            complaints = [line for one in seen for line in one.complaints]
            cells = (
                f"{kind.kind} {kind.version()}",
                close,
                f"{sum(one.good for one in seen)} of {ROUNDS * FILES}",
                ", ".join(str(code) for code in sorted(set.union(*(one.replies for one in seen)))),
                f"{len(complaints)}",
                f"{sum(one.time_waits for one in seen)}",
                _times([1000 * one.per_file for one in seen]),
            )
            sys.stdout.write(f"| {' | '.join(cells)} |\n")
            sys.stdout.flush()
            sys.stderr.write("".join(f"{line}\n" for line in complaints))


def _times(milliseconds: list[float]) -> str:
    least, most = min(milliseconds), max(milliseconds)
    return f"{median(milliseconds):.1f} ms ({least:.1f} to {most:.1f})"


if __name__ == "__main__":
    main()
