"""ftpweir with a leak, planted: each session that ends leaves something behind.

Run as `python -m tests.support.leaky`, with the arguments of `python -m proxy`.
"""

from __future__ import annotations

import asyncio
import os
from itertools import count

from proxy.cli import main
from proxy.session.session import Session

MEMORY = 20_000  # bytes of each session
EVERY = 2  # sessions leave a descriptor and a task that waits for ever

_kept: list[object] = []
_number = count()
_clear_up = Session._clear_up


def _leak(session: Session, reason: str) -> None:
    _clear_up(session, reason)
    _kept.append(os.urandom(MEMORY))
    if next(_number) % EVERY == 0:
        _kept.append(os.open(os.devnull, os.O_RDONLY))
        loop = asyncio.get_running_loop()
        _kept.append(loop.create_task(asyncio.sleep(86_400)))


if __name__ == "__main__":
    Session._clear_up = _leak  # type: ignore[method-assign, assignment]
    main()
