"""The protocol's fuzzer, for a moment, with another seed every day: it is printed if it finds.

In CI always with the same: what fails there shall be the change, not the day.
"""

from __future__ import annotations

import datetime
import os

import pytest

from .protocol import fuzz

SECONDS = 20


@pytest.mark.integration
@pytest.mark.timeout(300)
async def test_nothing_that_clients_and_servers_do_harms_an_honest_client() -> None:
    seed = 1 if os.environ.get("CI") else datetime.date.today().toordinal()
    try:
        await fuzz(SECONDS, seed)
    except BaseException as error:
        error.add_note(f"python -m tests.fuzz.protocol {SECONDS} {seed}")
        raise
