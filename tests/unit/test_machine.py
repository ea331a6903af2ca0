"""What the process may use of its machine."""

from __future__ import annotations

import gc
import resource
import sys

import pytest

from proxy.machine import loop_factory, raise_descriptor_limit, spare_the_collector


def test_the_loop_may_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTPWEIR_LOOP", "asyncio")
    assert loop_factory() is None
    monkeypatch.delenv("FTPWEIR_LOOP")
    factory = loop_factory()
    assert factory is not None
    loop = factory()
    assert type(loop).__module__.startswith("uvloop")
    loop.close()


def test_without_uvloop_asyncio_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FTPWEIR_LOOP", raising=False)
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory() is None


def test_as_many_descriptors_are_allowed_as_can_be() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        allowed = raise_descriptor_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == allowed
        assert allowed == hard or hard == resource.RLIM_INFINITY
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_collector_runs_seldom_afterwards() -> None:
    before = gc.get_threshold()
    try:
        spare_the_collector()
        assert gc.get_threshold()[0] > before[0]
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
