"""What is wanted, and whether a run shows it."""

from __future__ import annotations

from loadtest.bench.aims import AIMS, Aim

from .examples import a_run, small


def test_an_aim_has_a_least_or_a_most() -> None:
    least, most = Aim("a", 1.3, None, lambda run: None), Aim("b", None, 0.9, lambda run: None)
    assert (least.wanted, most.wanted) == ("at least 1.3", "at most 0.9")
    assert least.is_met(1.3)
    assert not least.is_met(1.29)
    assert most.is_met(0.9)
    assert not most.is_met(0.91)


def test_an_aim_that_was_not_measured_is_silent() -> None:
    assert [aim.reached(a_run()) for aim in AIMS] == [None] * len(AIMS)


def test_small_files_are_compared_with_mod_proxy() -> None:
    run = a_run(small("ftpweir", 0, 300), small("mod_proxy", 0, 200))
    assert [it for aim in AIMS if (it := aim.reached(run)) is not None] == [1.5]
