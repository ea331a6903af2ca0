from __future__ import annotations

from proxy.upstream.vigilance import SMALL, UNBROKEN, Vigilance


def after(transfers: int, moved: int) -> Vigilance:
    vigilance = Vigilance()
    for _ in range(transfers):
        vigilance.went_well(moved)
    return vigilance


def test_a_new_server_is_met_warily() -> None:
    assert Vigilance().is_wary
    assert after(UNBROKEN - 1, 1000).is_wary


def test_many_small_files_in_a_row_make_trust() -> None:
    assert not after(UNBROKEN, 1000).is_wary


def test_a_break_ends_the_trust() -> None:
    vigilance = after(UNBROKEN, 1000)
    vigilance.was_broken()
    assert vigilance.is_wary


def test_large_files_are_always_asked_about() -> None:
    assert after(10 * UNBROKEN, SMALL + 1).is_wary


def test_one_huge_file_changes_little() -> None:
    vigilance = after(10 * UNBROKEN, 1000)
    vigilance.went_well(1 << 40)
    assert not vigilance.is_wary
