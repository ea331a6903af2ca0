from __future__ import annotations

from proxy.phase import Phase


def test_it_is_ready_exactly_while_it_serves() -> None:
    assert {phase for phase in Phase if phase.is_ready} == {Phase.SERVING, Phase.RELOADING}


def test_once_told_to_end_it_never_looks_ready_again() -> None:
    ending = {phase for phase in Phase if phase.is_ending}
    assert ending == {Phase.STOPPING, Phase.DRAINING, Phase.OVER}
    assert not any(phase.is_ready for phase in ending)
