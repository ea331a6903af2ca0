"""The words for what keeps something from working."""

from __future__ import annotations

from proxy.ops.doctor.problems import PROBLEMS


def test_no_problem_has_the_name_of_another() -> None:
    codes = [code for code, *_ in PROBLEMS]
    assert len(codes) == len(set(codes))


def test_what_is_nearer_to_us_stands_before_what_needs_it() -> None:
    codes = [code for code, *_ in PROBLEMS]
    way = ["descriptors", "no_such_name", "banned", "refused", "sessions_full", "login_refused"]
    assert sorted(way, key=codes.index) == way
    assert codes.index("login_refused") < codes.index("passive_blocked")
