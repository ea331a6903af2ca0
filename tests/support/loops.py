"""Asynchronous tests run on the loop that the proxy itself would choose (FTPWEIR_LOOP tells)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from proxy.machine import loop_factory


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Name one loop only: to run on both, run the tests twice."""
    factory = loop_factory()
    return {"asyncio": asyncio.new_event_loop} if factory is None else {"uvloop": factory}
