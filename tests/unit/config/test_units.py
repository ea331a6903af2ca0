"""Each unit: what is read, what is refused in which words, and what is suggested."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.config import units
from proxy.config.units import Misfit


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45s", 45),
        ("2m", 120),
        ("1h", 3600),
        ("500ms", 0.5),
        ("1h30m", 5400),
        ("1m30s", 90),
        ("1.5s", 1.5),
        ("0s", 0),
        (2.4, 2.4),
        (3, 3),
    ],
)
def test_a_duration_is_read_with_its_unit(text: object, seconds: float) -> None:
    assert units.parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("45", "45s"),
        ("0.5", "0.5s"),
        ("240 s", "240s"),
        ("2M", "2m"),
        ("21:30", None),
        ("30m1h", None),
        ("", None),
        ("-5s", None),
        ("٤٥s", None),
        ("yes", None),
        (True, None),
        (None, None),
        ([], None),
    ],
)
def test_what_is_no_duration_is_refused_with_the_likely_meaning(
    text: object, hint: str | None
) -> None:
    with pytest.raises(Misfit, match="expected a duration such as 45s") as caught:
        units.parse_duration(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize("value", ["9" * 400 + "h", "9000h", -1, float("nan"), float("inf")])
def test_a_duration_beyond_a_year_is_refused(value: object) -> None:
    with pytest.raises(Misfit, match="at most 8784h"):
        units.parse_duration(value)


def test_a_time_limit_of_zero_is_refused() -> None:
    assert units.parse_time_limit("1ms") == 0.001
    with pytest.raises(Misfit, match="longer than zero, got '0s'"):
        units.parse_time_limit("0s")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0s"), (0.5, "500ms"), (40.0, "40s"), (90.0, "1m30s"), (600.0, "10m"), (3600.0, "1h")],
)
def test_a_duration_is_written_in_its_largest_whole_units(seconds: float, text: str) -> None:
    assert units.show_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "size"), [("7B", 7), ("64KiB", 65536), ("1.5MiB", 1572864), ("2GiB", 2 << 30)]
)
def test_a_size_is_read_in_binary_units(text: str, size: int) -> None:
    assert units.parse_size(text) == size


@pytest.mark.parametrize("text", ["64", "64KB", "KiB", "", ["1B"]])
def test_a_size_without_a_binary_unit_is_refused(text: object) -> None:
    with pytest.raises(Misfit, match="expected a size such as 64KiB"):
        units.parse_size(text)


@pytest.mark.parametrize(
    ("text", "rate", "shown"),
    [
        ("20MiB/s", 20 << 20, "20MiB/s"),
        ("1024KiB/s", 1 << 20, "1MiB/s"),
        ("3GiB/s", 3 << 30, "3GiB/s"),
        (1000, 1000, "1000B/s"),
    ],
)
def test_a_rate_is_bytes_per_second(text: object, rate: int, shown: str) -> None:
    assert units.parse_rate(text) == rate
    assert units.show_rate(rate) == shown


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("20MB/s", "20MiB/s"),
        ("20 MiB/s", "20MiB/s"),
        ("64k", "64KiB/s"),
        ("20MiB", "20MiB/s"),
        ("fast", None),
        (0, None),
        (True, None),
        ([], None),
    ],
)
def test_what_is_no_rate_is_refused_with_the_likely_meaning(text: object, hint: str | None) -> None:
    with pytest.raises(Misfit, match="expected a rate such as 64KiB/s") as caught:
        units.parse_rate(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize("text", ["0B/s", "0.1B/s", "0KiB/s"])
def test_a_rate_of_nothing_is_refused_and_not_suggested(text: str) -> None:
    with pytest.raises(Misfit, match="expected a rate above zero") as caught:
        units.parse_rate(text)
    assert caught.value.hint is None


@pytest.mark.parametrize(
    ("text", "code", "shown"),
    [
        ("af31", 26, "af31"),
        ("AF13", 14, "af13"),
        ("cs0", 0, "cs0"),
        ("cs7", 56, "cs7"),
        ("le", 1, "le"),
        ("ef", 46, "ef"),
        ("46", 46, "ef"),
        (63, 63, "63"),
    ],
)
def test_a_dscp_is_a_name_or_a_number(text: object, code: int, shown: str) -> None:
    assert units.parse_dscp(text) == code
    assert units.show_dscp(code) == shown


@pytest.mark.parametrize(
    ("text", "hint"),
    [("af51", "af41"), ("64", None), (-1, None), (True, None), ("0x1a", None), ([], None)],
)
def test_what_is_no_dscp_is_refused(text: object, hint: str | None) -> None:
    with pytest.raises(Misfit, match="expected a DSCP such as af31") as caught:
        units.parse_dscp(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "share", "shown"),
    [("5%", 0.05, "5%"), ("0%", 0.0, "0%"), ("12.5%", 0.125, "12.5%"), (0.07, 0.07, "7%")],
)
def test_a_percentage_is_a_share(text: object, share: float, shown: str) -> None:
    assert units.parse_percent(text) == pytest.approx(share)
    assert units.show_percent(share) == shown


@pytest.mark.parametrize(
    ("text", "hint"), [("5", "5%"), ("100%", None), ("", None), (1, None), (False, None)]
)
def test_what_is_no_percentage_below_a_hundred_is_refused(text: object, hint: str | None) -> None:
    with pytest.raises(Misfit, match="expected a percentage such as 5%") as caught:
        units.parse_percent(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("17", 17), ("20", 20), (5, 5)])
def test_a_whole_number_is_read(text: object, number: int) -> None:
    assert units.whole(0, 20)(text) == number


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("017", "17"),
        ("1_0", "10"),
        ("1,0", "10"),
        ("yes", None),
        ("1e1", None),
        ("0x10", None),
        ("1.0", None),
        ("٣", None),
        ("00", None),
        ("9" * 5000, None),
        ("21", None),
        (21, None),
        (True, None),
        ("", None),
    ],
)
def test_what_is_no_whole_number_in_its_bounds_is_refused(text: object, hint: str | None) -> None:
    with pytest.raises(Misfit, match="expected a whole number from 0 to 20, got") as caught:
        units.whole(0, 20)(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize(("text", "weight"), [("2", 2.0), ("0.5", 0.5), (3, 3.0)])
def test_a_weight_is_a_number_above_zero(text: object, weight: float) -> None:
    assert units.parse_weight(text) == weight


@pytest.mark.parametrize("text", ["0", "-1", "inf", "nan", "1e3", "", 0, float("nan"), True, []])
def test_what_is_no_number_above_zero_is_no_weight(text: object) -> None:
    with pytest.raises(Misfit, match="expected a number above 0"):
        units.parse_weight(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [("yes", "on"), ("TRUE", "on"), ("no", "off"), ("shadw", "shadow"), ("7", None), ([], None)],
)
def test_a_word_must_be_one_of_the_list(text: object, hint: str | None) -> None:
    with pytest.raises(Misfit, match="expected on, shadow or off, got") as caught:
        units.parse_word(("on", "shadow", "off"), text)
    assert caught.value.hint == hint


def test_a_synonym_is_only_suggested_where_its_word_is_taken() -> None:
    with pytest.raises(Misfit) as caught:
        units.parse_word(("fin", "reset"), "yes")
    assert caught.value.hint is None


def test_a_single_word_is_enumerated_as_itself() -> None:
    assert units.enumerated(("fin",)) == "fin"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (" ", "nothing"),
        ("x", "'x'"),
        ("x" * 80, "'" + "x" * 57 + "...'"),
        ([1], "a list"),
        ([], "an empty list"),
        ({}, "a section"),
        (7, "7"),
    ],
)
def test_a_misfit_tells_what_stood_there(value: object, told: str) -> None:
    assert units.misfit("a thing", value).message == f"expected a thing, got {told}"


@pytest.mark.parametrize(
    "parse",
    [
        units.parse_duration,
        units.parse_rate,
        units.parse_dscp,
        units.parse_percent,
        units.parse_weight,
    ],
)
def test_a_section_is_never_a_value(parse: Callable[[object], object]) -> None:
    with pytest.raises(Misfit, match="got a section"):
        parse({"a": "b"})
