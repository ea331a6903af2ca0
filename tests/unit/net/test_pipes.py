"""Pipes are kept empty, and while descriptors are plenty: never at the cost of a connection."""

from __future__ import annotations

import os

import pytest

from proxy.net.pipes import KEEP_SHARE, SPARE, Pipes
from tests.support.scarce import at_most_descriptors


def test_an_empty_pipe_is_kept_and_a_dirty_one_closed() -> None:
    pipes = Pipes()
    clean, dirty = pipes.take(), pipes.take()
    assert clean is not None
    assert dirty is not None
    os.write(dirty[1], b"somebody's bytes")
    pipes.give_back(clean, is_empty=True)
    pipes.give_back(dirty, is_empty=False)
    assert pipes.take() == clean
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(dirty[0])
    for end in clean:
        os.close(end)


def test_a_pipe_that_holds_too_little_is_not_worth_having() -> None:
    before = len(os.listdir("/proc/self/fd"))
    assert Pipes(size=1 << 31, least=1 << 30).take() is None
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_last_descriptors_are_left_to_connections() -> None:
    lowest = os.dup(0)
    os.close(lowest)
    with at_most_descriptors(lowest + SPARE):
        before = len(os.listdir("/proc/self/fd"))
        assert Pipes().take() is None
        assert len(os.listdir("/proc/self/fd")) == before


def test_fewer_pipes_are_kept_where_there_are_few_descriptors() -> None:
    pipes = Pipes()
    taken = [pipes.take() for _ in range(3)]
    with at_most_descriptors(2 * KEEP_SHARE):
        for ends in taken:
            assert ends is not None
            pipes.give_back(ends, is_empty=True)
    assert pipes.take() == taken[1]
    assert pipes.take() == taken[0]
    for ends in taken[:2]:
        assert ends is not None
        os.close(ends[0])
        os.close(ends[1])
