"""The kinds of values a key can take: how each is read, written and named. Pure; knows no key."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from . import addresses, units
from .addresses import Address, Network, PortRange, Standby
from .units import misfit

HIDDEN = "(hidden)"  # how a secret is shown
TOKEN_WORDS = "a token of 16 to 200 letters, digits and . _ ~ -"


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of value. Its parse is the only judge, so no message is ever the library's own."""

    words: str
    parse: Callable[[object], Any]
    show: Callable[[Any], str] = str

    def schema(self) -> CoreSchema:
        """Tell pydantic to ask us; in JSON a value looks as it does in the file."""
        written = core_schema.plain_serializer_function_ser_schema(self.show, when_used="json")
        return core_schema.no_info_plain_validator_function(self.parse, serialization=written)

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return self.schema()


@dataclass(frozen=True, slots=True)
class Several:
    """One value of a shape or a list of them; each item keeps its own place in the file."""

    item: Shape

    @property
    def words(self) -> str:
        """Name what is taken."""
        return f"{self.item.words}, or a list of them"

    def show(self, values: Sequence[Any]) -> str:
        """Write a list on one line."""
        return f"[{', '.join(self.item.show(value) for value in values)}]"

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        many = core_schema.tuple_variable_schema(self.item.schema())
        return core_schema.no_info_before_validator_function(_as_list, many)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str | dict) else value


def or_none(shape: Shape) -> Shape:
    """Let the word `none` stand for absence."""
    return or_word("none", shape)


def or_word(word: str, shape: Shape) -> Shape:
    """Let one word stand for None."""

    def parse(value: object) -> Any:
        return None if value is None or value == word else shape.parse(value)

    def show(value: Any) -> str:
        return word if value is None else shape.show(value)

    return Shape(f"{shape.words}, or {word}", parse, show)


def or_absent(shape: Shape) -> Shape:
    """Allow a key to be left out where `none` would be a value of its own."""
    return Shape(
        shape.words,
        lambda value: None if value is None else shape.parse(value),
        lambda value: "not given" if value is None else shape.show(value),
    )


def one_of(literal: Any) -> Shape:
    """Make the shape of a Literal of words."""
    words = tuple(str(word) for word in get_args(literal))
    return Shape(units.enumerated(words), lambda value: units.parse_word(words, value))


def whole(least: int, most: int = 1_000_000) -> Shape:
    """Make the shape of whole numbers between two bounds."""
    return Shape(units.whole_words(least, most), units.whole(least, most))


def pattern(words: str, expression: str) -> Shape:
    """Make the shape of a text that one expression describes."""
    form = re.compile(expression)

    def parse(value: object) -> str:
        if isinstance(value, str) and form.fullmatch(value):
            return value
        raise misfit(words, value)

    return Shape(words, parse)


def lower_case(shape: Shape) -> Shape:
    """Let upper and lower case be the same."""
    return Shape(shape.words, lambda value: shape.parse(value).lower())


def _parse_code(value: object) -> int:
    code = str(value) if isinstance(value, int) else value
    return int(units.parse_word(("425", "450", "421"), code))


def _parse_verb(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z]{1,16}", value):
        return value.upper()
    raise misfit("a word that follows SITE, such as CHMOD", value)


def _parse_token(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9._~-]{16,200}", value):
        return value
    raise misfit(TOKEN_WORDS, HIDDEN)  # what is nearly a secret is not repeated either


COUNT = whole(1)
SIZE = Shape(units.SIZE_WORDS, units.parse_size, units.show_size)
RATE = Shape(units.RATE_WORDS, units.parse_rate, units.show_rate)
DSCP = Shape(units.DSCP_WORDS, units.parse_dscp, units.show_dscp)
ADDRESS = Shape(addresses.ADDRESS_WORDS, addresses.parse_address)
HOST = Shape(addresses.HOST_WORDS, addresses.parse_host)
FILE = pattern("the path of a file", r"[^\0\r\n]*[^\0\r\n ]")
NETWORK = Shape(addresses.NETWORK_WORDS, addresses.parse_network)
STANDBY = Shape(addresses.STANDBY_WORDS, addresses.parse_standby)
SOURCE = Shape(addresses.SOURCE_WORDS, addresses.parse_source)
GLOB = pattern("a user name or pattern such as batch-*", r"[^\s,]{1,200}")
HOST_GLOB = lower_case(
    pattern("a host name or pattern such as *.example.com", r"[A-Za-z0-9*?._:-]{1,253}")
)
NAME = pattern("a name of letters, digits, - and _ (at most 32)", r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
VERB = Shape("a verb, or a word that follows SITE", _parse_verb)
TOKEN = Shape(TOKEN_WORDS, _parse_token, lambda _: HIDDEN)
STORE = pattern(
    "a store such as redis://host:6379/0, rediss://host:6380/0 or unix:///run/redis.sock",
    r"(?:rediss?://[^\s]+|unix:///[^\s]+)",
)
GROUP = pattern(
    "a name of letters, digits and ._:- (at most 64), or auto", r"[A-Za-z0-9._:-]{1,64}"
)

Duration: TypeAlias = Annotated[
    float, Shape(units.DURATION_WORDS, units.parse_duration, units.show_duration)
]
TimeLimit: TypeAlias = Annotated[
    float, Shape(units.DURATION_WORDS, units.parse_time_limit, units.show_duration)
]
Percent: TypeAlias = Annotated[
    float, Shape(units.PERCENT_WORDS, units.parse_percent, units.show_percent)
]
Weight: TypeAlias = Annotated[
    float, Shape("a number above 0", units.parse_weight, lambda weight: f"{weight:g}")
]
CountOrAuto: TypeAlias = Annotated[int | None, or_word("auto", COUNT)]
Count: TypeAlias = Annotated[int, COUNT]
CountOrZero: TypeAlias = Annotated[int, whole(0)]
CountOrNone: TypeAlias = Annotated[int | None, or_none(COUNT)]
Size: TypeAlias = Annotated[int, SIZE]
RateOrNone: TypeAlias = Annotated[int | None, or_none(RATE)]
DscpOrNone: TypeAlias = Annotated[int | None, or_none(DSCP)]
Port: TypeAlias = Annotated[int, whole(1, addresses.HIGHEST_PORT)]
Ports: TypeAlias = Annotated[PortRange, Shape(addresses.PORTS_WORDS, addresses.parse_ports)]
Host: TypeAlias = Annotated[str, HOST]
HostOrNone: TypeAlias = Annotated[str | None, or_none(HOST)]
Told: TypeAlias = Annotated[str, Shape(addresses.TOLD_WORDS, addresses.parse_told)]
Place: TypeAlias = Annotated[Address, ADDRESS]
FileOrNone: TypeAlias = Annotated[str | None, or_none(FILE)]
TokenOrNone: TypeAlias = Annotated[str | None, or_none(TOKEN)]
StoreOrNone: TypeAlias = Annotated[str | None, or_none(STORE)]
GroupOrAuto: TypeAlias = Annotated[str | None, or_word("auto", GROUP)]
Networks: TypeAlias = Annotated[tuple[Network, ...], Several(NETWORK)]
Globs: TypeAlias = Annotated[tuple[str, ...], Several(GLOB)]
Standbys: TypeAlias = Annotated[tuple[Standby, ...], Several(STANDBY)]
Places: TypeAlias = Annotated[tuple[Address, ...], Several(ADDRESS)]
HostGlobs: TypeAlias = Annotated[tuple[str, ...], Several(HOST_GLOB)]
Sources: TypeAlias = Annotated[tuple[str, ...], Several(SOURCE)]
Verbs: TypeAlias = Annotated[tuple[str, ...], Several(VERB)]
ClassName: TypeAlias = Annotated[str, NAME]
ServerName: TypeAlias = Annotated[str, NAME]
TransferCode: TypeAlias = Annotated[Literal[425, 450, 421], Shape("425, 450 or 421", _parse_code)]

TlsMode: TypeAlias = Literal["off", "explicit", "implicit"]
TlsVersion: TypeAlias = Literal["1.2", "1.3"]
OnOff: TypeAlias = Literal["on", "off"]
Switch: TypeAlias = Annotated[OnOff, one_of(OnOff)]
