"""One process that runs scripts: a JSON line in, JSON lines out while it runs, rows in a file.

    python -m loadtest.scripts.worker < assignment

SIGTERM cuts the run short; what has been seen until then is handed in all the same.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import uvloop

from proxy.machine import raise_descriptor_limit

from ..reading import parse_scenario
from .desk import Desk
from .load import Assignment, Crowd, report_while

EVERY = 0.25


def main() -> None:
    """Read the assignment and run it."""
    raise_descriptor_limit()
    wishes: dict[str, Any] = json.loads(sys.stdin.readline())
    scenario = parse_scenario(wishes.pop("scenario"), "scenario")
    rows = Path(wishes.pop("rows"))
    assignment = Assignment(scenario=scenario, **wishes)
    with rows.open("wb") as file:
        desk = Desk(file, assignment.starts_at)
        uvloop.run(_run(Crowd(assignment, desk), desk))
        tell(desk)


async def _run(crowd: Crowd, desk: Desk) -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(report_while(lambda: tell(desk), EVERY))
        running = tasks.create_task(crowd.run())
        loop.add_signal_handler(signal.SIGTERM, running.cancel)
        running.add_done_callback(lambda _: telling.cancel())


def tell(desk: Desk) -> None:
    """Write the tally so far as one line."""
    sys.stdout.write(json.dumps({"at": monotonic(), **desk.tally()}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
