"""Text to value and back: durations, rates, percents, numbers, words. Never guesses a unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import TypeGuard

DURATION = re.compile(
    r"(?:([0-9]+(?:\.[0-9]+)?)h)?(?:([0-9]+(?:\.[0-9]+)?)m(?!s))?"
    r"(?:([0-9]+(?:\.[0-9]+)?)s)?(?:([0-9]+(?:\.[0-9]+)?)ms)?"
)
DURATION_WORDS = "a duration such as 45s, 2m or 1h30m"
LONGEST = 366 * 86400.0

SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(B|KiB|MiB|GiB)")
SIZE_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
SIZE_WORDS = "a size such as 64KiB or 20MiB"
RATE_WORDS = "a rate such as 64KiB/s or 20MiB/s"

PERCENT = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,6})?)%")
PERCENT_WORDS = "a percentage such as 5% (below 100%)"

# RFC 2474, 2597, 3246, 5865 and 8622: what routers are told of a packet's class.
DSCP = {
    **{f"cs{number}": 8 * number for number in range(8)},
    **{f"af{row}{drop}": 8 * row + 2 * drop for row in range(1, 5) for drop in range(1, 4)},
    "le": 1,
    "va": 44,
    "ef": 46,
}
DSCP_WORDS = "a DSCP such as af31, cs1, ef or a number from 0 to 63"

WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
DECIMAL = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")

# What people write for a switch in other files; here it is a word that was not meant, so we ask.
SYNONYMS = {"yes": "on", "true": "on", "no": "off", "false": "off", "null": "none", "~": "none"}


class Misfit(ValueError):
    """A value that is not what its key takes; `hint` is what may have been meant."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def misfit(words: str, value: object, hint: str | None = None) -> Misfit:
    """Say what was expected and what stood there instead."""
    return Misfit(f"expected {words}, got {_told(value)}", hint)


def _told(value: object) -> str:
    match value:
        case str() if not value.strip():
            return "nothing"
        case str():
            return repr(value if len(value) <= 60 else value[:57] + "...")
        case list() | tuple():
            return "a list" if value else "an empty list"
        case dict():
            return "a section"
        case _:
            return repr(value)


def parse_duration(value: object) -> float:
    """Read seconds; a bare number is refused, because nobody can tell which unit was meant."""
    if _is_number(value):
        seconds = float(value)
    elif isinstance(value, str) and (found := DURATION.fullmatch(value)) and value:
        hours, minutes, rest, thousandths = (float(part or 0) for part in found.groups())
        seconds = hours * 3600 + minutes * 60 + rest + thousandths / 1000
    else:
        raise misfit(DURATION_WORDS, value, _duration_hint(value))
    if not 0 <= seconds <= LONGEST:
        raise misfit("a duration of at most 8784h", value)
    return seconds


def parse_time_limit(value: object) -> float:
    """Read a duration that ends something: zero would end it before it began."""
    seconds = parse_duration(value)
    if seconds == 0:
        raise misfit("a duration longer than zero", value)
    return seconds


def _duration_hint(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    if DECIMAL.fullmatch(value):
        return f"{value}s"
    return _nearer(value, DURATION)


def _nearer(text: str, pattern: re.Pattern[str]) -> str | None:
    bare = text.replace(" ", "").lower()
    return bare if bare and pattern.fullmatch(bare) else None


def show_duration(seconds: float) -> str:
    """Write a duration the way a person would: the largest whole units."""
    left = round(seconds * 1000)
    told = ""
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        told += f"{count}{unit}" if count else ""
    return told or "0s"


def parse_size(value: object) -> int:
    """Read bytes. Only KiB, MiB and GiB: a MB is 1,000,000 to some and 1,048,576 to others."""
    if isinstance(value, str) and (found := SIZE.fullmatch(value)):
        return int(float(found[1]) * SIZE_UNITS[found[2]])
    raise misfit(SIZE_WORDS, value)


def show_size(size: int) -> str:
    """Write bytes in the largest unit that divides them."""
    return show_rate(size).removesuffix("/s")


def parse_rate(value: object) -> int:
    """Read bytes per second, at least one: a rate of nothing would never end."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    if isinstance(value, str) and value.endswith("/s") and SIZE.fullmatch(value[:-2]):
        rate = parse_size(value[:-2])
        if rate == 0:
            raise misfit("a rate above zero", value)
        return rate
    raise misfit(RATE_WORDS, value, _rate_hint(value))


def _rate_hint(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?([kKmMgG])i?[bB]?(?:/s|ps)?", value)
    return f"{found[1]}{found[2].upper()}iB/s" if found else None


def show_rate(rate: int) -> str:
    """Write bytes per second in the largest unit that divides them."""
    for unit in ("GiB", "MiB", "KiB"):
        if rate % SIZE_UNITS[unit] == 0:
            return f"{rate // SIZE_UNITS[unit]}{unit}/s"
    return f"{rate}B/s"


def parse_dscp(value: object) -> int:
    """Read a class of traffic by its name or its number."""
    if isinstance(value, int) and not isinstance(value, bool):
        code: int | None = value
    elif isinstance(value, str) and WHOLE.fullmatch(value):
        code = int(value)
    else:
        code = DSCP.get(value.lower()) if isinstance(value, str) else None
    if code is None or not 0 <= code <= 63:
        hint = closest(value.lower(), tuple(DSCP)) if isinstance(value, str) else None
        raise misfit(DSCP_WORDS, value, hint)
    return code


def show_dscp(code: int) -> str:
    """Write a class of traffic by its name, if it has one."""
    return next((name for name, known in DSCP.items() if known == code), str(code))


def parse_percent(value: object) -> float:
    """Read a share: `5%` is 0.05."""
    if _is_number(value) and 0 <= value < 1:
        return float(value)
    if isinstance(value, str) and (found := PERCENT.fullmatch(value)):
        return float(found[1]) / 100
    hint = f"{value}%" if isinstance(value, str) and PERCENT.fullmatch(f"{value}%") else None
    raise misfit(PERCENT_WORDS, value, hint)


def show_percent(share: float) -> str:
    """Write a share as a percentage."""
    return f"{round(share * 100, 6):g}%"


def whole(least: int, most: int = 1_000_000) -> Callable[[object], int]:
    """Make a reader of whole numbers between two bounds."""
    words = whole_words(least, most)

    def parse_whole(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            number = value
        elif isinstance(value, str) and WHOLE.fullmatch(value):
            number = int(value)
        else:
            raise misfit(words, value, _whole_hint(value))
        if not least <= number <= most:
            raise misfit(words, value)
        return number

    return parse_whole


def whole_words(least: int, most: int = 1_000_000) -> str:
    """Name the numbers that `whole` takes with these bounds."""
    return f"a whole number from {least} to {most}"


def _whole_hint(value: object) -> str | None:
    # 017 is 15 to YAML 1.1 and 17 to people; 1_000 and 1,000 are 1000 to both.
    if not isinstance(value, str) or not re.fullmatch(r"[0-9][0-9_, ]*", value):
        return None
    digits = re.sub(r"[_, ]", "", value).lstrip("0")
    return digits if WHOLE.fullmatch(digits) else None


def parse_weight(value: object) -> float:
    """Read a share of turns: any number above zero."""
    weight = 0.0
    if _is_number(value) or (isinstance(value, str) and DECIMAL.fullmatch(value)):
        weight = float(value)
    if 0 < weight <= 1_000_000:
        return weight
    raise misfit("a number above 0 such as 1 or 2.5", value)


def parse_word(words: Sequence[str], value: object) -> str:
    """Take one of the words, nothing that merely resembles one."""
    if isinstance(value, str) and value in words:
        return value
    raise misfit(enumerated(words), value, _word_hint(words, value))


def enumerated(words: Sequence[str]) -> str:
    """Join words as a sentence does: `fin or reset`, `on, shadow or off`."""
    *head, last = words
    return f"{', '.join(head)} or {last}" if head else last


def _word_hint(words: Sequence[str], value: object) -> str | None:
    if not isinstance(value, str):
        return None
    meant = SYNONYMS.get(value.lower())
    if meant in words:
        return meant
    return closest(value.lower(), words)


def closest(text: str, words: Sequence[str]) -> str | None:
    """Find the word that was most likely meant, or nothing that is close enough to suggest."""
    found = get_close_matches(text[:100], words, n=1, cutoff=0.6)
    return found[0] if found else None


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
