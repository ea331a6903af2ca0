from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from proxy.upstream.ground import Ground


def test_nobody_moves_the_ground_under_others() -> None:
    ground = Ground(clock=lambda: 7.0, announce=lambda event: None, spawn=lambda work: work.close())
    with pytest.raises(FrozenInstanceError):
        ground.clock = lambda: 8.0  # type: ignore[misc]
    assert ground.clock() == 7.0
