"""The protocol's fuzzer, for a moment, with another seed every day: it is printed if it finds."""

from __future__ import annotations

import datetime

import pytest

from .protocol import fuzz

SECONDS = 20


@pytest.mark.integration
@pytest.mark.timeout(300)
async def test_nothing_that_clients_and_servers_do_harms_an_honest_client() -> None:
    seed = datetime.date.today().toordinal()
    try:
        await fuzz(SECONDS, seed)
    except BaseException as error:
        error.add_note(f"python -m tests.fuzz.protocol {SECONDS} {seed}")
        raise
