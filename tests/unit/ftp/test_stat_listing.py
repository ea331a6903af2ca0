from __future__ import annotations

import pytest

from proxy.ftp.reply import Reply
from proxy.ftp.stat_listing import MOST_FAILURES, MOST_OPTIONS, Listed, StatHabit, listed

FILE = b"-rw-r--r--    1 1000     1000           12 Nov 21 09:39 "
FOLDER = b"drwxr-xr-x    2 alice    alice        4096 Nov 21  2025 "


def stat(*lines: bytes, code: int = 213) -> Reply:
    return Reply(code, (b"%d-Status follows:" % code, *lines, b"%d End." % code))


def content(*lines: bytes) -> bytes:
    return b"".join(line + b"\r\n" for line in lines)


@pytest.mark.parametrize(
    ("argument", "asks"),
    [
        (b"", b"STAT ."),
        (b"sub dir", b"STAT sub dir"),
        (b"-la", b"STAT -la ."),
        (b"-a /pub", b"STAT -a /pub"),
        (b"..", b"STAT .."),
    ],
)
def test_stat_asks_for_what_list_asked_for(argument: bytes, asks: bytes) -> None:
    wanted = listed(argument)
    assert wanted is not None
    assert wanted.stat_line == asks


@pytest.mark.parametrize(
    "argument", [b"*.txt", b"a?", b"-l -a", b"[ab]", b"~bob", b"a/.hid", b".ssh/"]
)
def test_what_stat_may_read_differently_is_left_to_list(argument: bytes) -> None:
    assert listed(argument) is None


def test_nothing_is_certain_before_a_listing_was_compared() -> None:
    assert StatHabit().listing(b"", stat(FILE + b"a")) is None


def test_a_server_that_shows_the_same_is_believed() -> None:
    habit = StatHabit()
    habit.saw(b"", stat(FILE + b".hid", FILE + b"a"), content(FILE + b".hid", FILE + b"a"))
    assert habit.listing(b"", stat(FOLDER + b".b")) == content(FOLDER + b".b")


def test_hidden_names_that_list_leaves_out_are_left_out() -> None:
    habit = StatHabit()
    habit.saw(b"", stat(FOLDER + b".", FILE + b".hid", FILE + b"a"), content(FILE + b"a"))
    assert habit.listing(b"", stat(FOLDER + b".", FILE + b"b")) == content(FILE + b"b")


def test_a_listing_that_two_habits_would_tell_differently_is_not_certain() -> None:
    habit = StatHabit()
    habit.saw(b"", stat(FOLDER + b".", FILE + b"a"), content(FILE + b"a"))
    assert habit.listing(b"", stat(FOLDER + b".", FILE + b"b")) == content(FILE + b"b")
    assert habit.listing(b"", stat(FOLDER + b".", FILE + b".hid")) is None


def test_the_blank_before_each_line_is_not_part_of_it() -> None:
    habit = StatHabit()
    habit.saw(b"", stat(b" " + FILE + b"a", code=212), content(FILE + b"a"))
    assert habit.listing(b"", stat(b" " + FILE + b"b", code=212)) == content(FILE + b"b")


def test_options_are_learned_apart() -> None:
    habit = StatHabit()
    habit.saw(b"", stat(FOLDER + b".", FILE + b"a"), content(FILE + b"a"))
    assert habit.listing(b"-a", stat(FILE + b"a")) is None


def test_an_empty_reply_may_mean_that_nothing_is_there() -> None:
    habit = StatHabit()
    habit.saw(b"", stat(FILE + b"a"), content(FILE + b"a"))
    assert habit.listing(b"", stat()) is None


def test_an_empty_directory_teaches_nothing() -> None:
    habit = StatHabit()
    for _ in range(MOST_FAILURES):
        habit.saw(b"", stat(), b"")
    assert not habit.is_hopeless(b"")


@pytest.mark.parametrize(
    "reply",
    [
        stat(b"total 4", FILE + b"a"),
        stat(FILE + b"a\xff"),
        stat(b"11-21-26  09:39AM  <DIR>  sub"),
        Reply.of(550, "No such file."),
    ],
)
def test_what_is_no_listing_is_given_up_after_some_tries(reply: Reply) -> None:
    habit = StatHabit()
    for _ in range(MOST_FAILURES):
        assert not habit.is_hopeless(b"")
        habit.saw(b"", reply, content(FILE + b"a"))
    assert habit.is_hopeless(b"")
    assert not habit.is_hopeless(b"-a")


def test_a_directory_that_changed_in_between_spoils_nothing() -> None:
    habit = StatHabit()
    habit.saw(b"", stat(FILE + b"a"), content(FILE + b"a", FILE + b"b"))
    habit.saw(b"", stat(FILE + b".a"), content(FILE + b".a"))
    assert habit.listing(b"", stat(FILE + b"c")) == content(FILE + b"c")


def test_trouble_is_met_only_once() -> None:
    habit = StatHabit()
    habit.gave_trouble(b"")
    assert habit.is_hopeless(b"")


def test_no_client_can_make_us_remember_without_end() -> None:
    habit = StatHabit()
    for number in range(MOST_OPTIONS):
        assert not habit.is_hopeless(b"-%d" % number)
        habit.saw(b"-%d" % number, stat(FILE + b"a"), content(FILE + b"a"))
    assert habit.is_hopeless(b"-new")


def test_listed_is_a_value() -> None:
    assert listed(b"-l x") == Listed(b"-l", b"x")
