"""What holds for every test: asyncio's own checks in unit tests, and plain words without root."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.support.loops import pytest_asyncio_loop_factories as pytest_asyncio_loop_factories
from tests.support.programs import need_root

# A busy machine is no counterexample.
settings.register_profile(
    "unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")


def pytest_configure() -> None:
    """End as at Ctrl-C when terminated: servers are stopped, namespaces and folders removed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Set the stage before any fixture, because a loop reads its debug mode when it is made."""
    if "unit" in item.path.parts:
        os.environ["PYTHONASYNCIODEBUG"] = "1"
    else:
        os.environ.pop("PYTHONASYNCIODEBUG", None)  # relays would be measured at half their speed
    if item.get_closest_marker("root"):
        need_root("this test")
