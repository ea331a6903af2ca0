"""Take the pictures of the status page that the documents show, from a running proxy.

`python -m tests.support.pictures` writes them to docs/images; needs what the other tests need.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from loadtest.ports import free_port

from .browser import Page, browsing
from .crowd import Habit, crowd, many
from .programs import CHECKOUT
from .proxy import Ftpweir
from .servers import PyFtpd
from .users import ALICE, BOB, CAROL, USERS

IMAGES = CHECKOUT / "docs" / "images"
FILE = "report.csv"
SETTINGS: dict[str, Any] = {
    "upstream": {"sessions": 4},
    "budget": {"connections": 60, "time_wait": "8s", "guard": "100ms"},
    "queue": {"max_wait": "6s"},
    "clients": [
        {"name": "nightly", "source": ["127.1.0.0/16"], "transfers": 4, "weight": 2},
        {"name": "partners", "source": ["127.2.0.0/16"], "sessions": 4},
        {"name": "everyone", "sessions": 30},
    ],
}
FEW = [
    Habit("127.1.0.5", ALICE, FILE, files=40),
    Habit("127.1.0.6", ALICE, FILE, files=40),
    Habit("127.3.0.5", BOB, FILE),
    Habit("127.4.0.5", CAROL, FILE),
]


async def take() -> None:
    """Take them all; a minute of waiting, so that the plots have something to show."""
    IMAGES.mkdir(exist_ok=True)
    place = f"127.0.0.1:{free_port()}"
    with PyFtpd() as server:
        for user in USERS:
            (server.home(user) / FILE).write_bytes(os.urandom(20_000))
        with Ftpweir(server, status=place, **SETTINGS) as proxy:
            async with browsing() as page:
                await page.look_like(width=1100, height=900)
                await page.open(f"http://{place}/")
                with crowd(proxy.port, FEW):
                    await asyncio.sleep(40)
                    await _picture(page, "status-light.png", width=1100, height=900)
                    await _picture(page, "status-dark.png", width=1100, height=900, dark=True)
                    await _picture(page, "status-phone.png", width=390, height=900)
                with crowd(proxy.port, [*FEW, *many(60, FILE)]):
                    await asyncio.sleep(18)
                    await _picture(page, "status-overloaded.png", width=1100, height=1000)


async def _picture(page: Page, name: str, *, width: int, height: int, dark: bool = False) -> None:
    await page.look_like(width=width, height=height, dark=dark)
    await asyncio.sleep(2)  # two looks of the page
    picture = await page.picture()
    await asyncio.to_thread((IMAGES / name).write_bytes, picture)


if __name__ == "__main__":
    asyncio.run(take())
