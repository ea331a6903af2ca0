"""A scenario as frozen values: servers, limits, scripts and load. Reads no file and starts nothing.

The keys follow proxy/config: the same shapes, the same refusal of what is unknown.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from proxy.config import Address
from proxy.config.addresses import ADDRESS_WORDS, parse_address
from proxy.config.section import Section
from proxy.config.shapes import (
    Count,
    CountOrNone,
    CountOrZero,
    Duration,
    Percent,
    Shape,
    Switch,
    TimeLimit,
    one_of,
    or_none,
    pattern,
    whole,
)
from proxy.config.units import (
    DURATION_WORDS,
    PERCENT_WORDS,
    misfit,
    parse_duration,
    parse_percent,
    parse_rate,
    parse_size,
    show_percent,
)

STARTS = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)/(s|min)")
EMBEDDED = "embedded"
KINDS = (EMBEDDED, "vsftpd", "pure-ftpd", "proftpd")


def _parse_starts(value: object) -> float:
    if isinstance(value, str) and (found := STARTS.fullmatch(value)) and float(found[1]) > 0:
        return float(found[1]) / (60 if found[2] == "min" else 1)
    raise misfit("starts such as 20/s or 90/min", value)


def _parse_whole_share(value: object) -> float:
    return 1.0 if value == "100%" else parse_percent(value)


def _parse_server(value: object) -> str | Address:
    if isinstance(value, str) and value in KINDS:
        return value
    if isinstance(value, str) and ":" in value:
        return parse_address(value)
    raise misfit(f"{', '.join(KINDS)} or {ADDRESS_WORDS}", value)


def _parse_target(value: object) -> str:
    if value in ("direct", "ftpweir"):
        return str(value)
    if isinstance(value, str) and ":" in value:
        parse_address(value)
        return value
    raise misfit("direct, ftpweir or the HOST:PORT of a proxy that runs already", value)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Text: TypeAlias = Annotated[str, pattern("a sentence", r"[^\0]{1,2000}")]
Name: TypeAlias = Annotated[str, pattern("a name of letters, digits and -", r"[a-z0-9-]{1,40}")]
Word: TypeAlias = Annotated[str, pattern("a word", r"\S{1,100}")]
Size: TypeAlias = Annotated[int, Shape("a size such as 4KiB", parse_size)]
Speed: TypeAlias = Annotated[int | None, or_none(Shape("a rate such as 64KiB/s", parse_rate))]
Starts: TypeAlias = Annotated[float, Shape("starts such as 20/s", _parse_starts)]
Share: TypeAlias = Annotated[float, Shape(PERCENT_WORDS, _parse_whole_share, show_percent)]
DurationOrNone: TypeAlias = Annotated[float | None, or_none(Shape(DURATION_WORDS, parse_duration))]
FilesOrNone: TypeAlias = Annotated[int | None, or_none(whole(1, 1_000_000_000))]
Target: TypeAlias = Annotated[str, Shape("direct, ftpweir or HOST:PORT", _parse_target)]
ServerKind: TypeAlias = Annotated[
    str | Address, Shape("embedded, a server's name or HOST:PORT", _parse_server)
]

Do: TypeAlias = Literal["download", "upload", "list", "idle"]
Login: TypeAlias = Literal["once", "per_file"]
Ends: TypeAlias = Literal["quit", "leak", "crash"]
Abort: TypeAlias = Literal["abor", "vanish"]
Sources: TypeAlias = Literal["own", "one", "new"]
Model: TypeAlias = Literal["open", "closed"]
Arrivals: TypeAlias = Literal["together", "constant", "poisson"]


class Faults(Section):
    """What the embedded server does wrong, on purpose; shares are of files, replies or commands."""

    reset: Percent = 0.0  # data connections that are reset half way
    stall: Percent = 0.0  # data that stops half way and never goes on
    silent_150: Percent = 0.0  # 150, and then no data at all
    late_final: Percent = 0.0  # final replies that come late_by after the data
    late_by: Duration = 3.0
    half_reply: Percent = 0.0  # replies that break off, and the connection with them
    refused_pasv: Percent = 0.0  # PASV answered with 425
    goodbye_421: Percent = 0.0  # any command answered with 421 and the end
    slow_accept: Duration = 0.0  # before the greeting
    truncate_one_in: CountOrNone = None  # files cut short, and 226 all the same
    swap_once_after: CountOrNone = None  # final replies, then two sessions get each other's


class Server(Section):
    """The server with the limits."""

    kind: ServerKind = EMBEDDED
    sessions_per_address: CountOrNone = None
    backlog: Count = 128
    login_delay: Duration = 0.0
    restart_at: DurationOrNone = None  # counted from the first login
    restart_takes: Duration = 2.0
    user: Word = "load"
    password: Word = "load"
    faults: Faults = Faults()

    @property
    def account(self) -> tuple[str, str]:
        """How scripts log in; our vsftpd knows only anonymous ones."""
        if self.kind == "vsftpd":
            return "anonymous", "load@example.com"
        return self.user, self.password

    @property
    def is_ours(self) -> bool:
        """Whether we start it, and thus may read its files."""
        return isinstance(self.kind, str)


class Wall(Section):
    """The firewall in front of the server."""

    connections: CountOrNone = None
    time_wait: Duration = 60.0
    ban: DurationOrNone = None  # how long it drops everything once the limit is exceeded
    lab: Switch = "off"  # on: real network namespaces and the kernel's own count; needs root


class Group(Section):
    """Scripts that all do the same."""

    name: Name
    count: Count = 1
    do: Annotated[Do, one_of(Do)] = "download"
    files: CountOrZero = 10
    size: Size = 4096
    login: Annotated[Login, one_of(Login)] = "once"
    ends: Annotated[Ends, one_of(Ends)] = "quit"
    patience: TimeLimit = 60.0  # for any reply, and for data that does not move
    retries: CountOrZero = 0  # how often a refused or failed step is tried again
    retry_after: Duration = 1.0
    keep_going: Switch = "off"  # off: as `set -e`, the first failed file ends the script
    think: Duration = 0.0  # between two files
    idle: Duration = 0.0  # how long a script of `do: idle` holds its session
    reads: Speed = None  # how fast it reads or writes data; none = as fast as it comes
    aborts: Share = 0.0  # transfers it gives up after the first byte
    abort_by: Annotated[Abort, one_of(Abort)] = "abor"
    sources: Annotated[Sources, one_of(Sources)] = "own"  # an address for each place, one for the
    # whole group, or a new one for each script that starts there


class Load(Section):
    """How the scripts arrive."""

    model: Annotated[Model, one_of(Model)] = "open"
    arrivals: Annotated[Arrivals, one_of(Arrivals)] = "together"
    rate: Starts = 10.0  # scripts; for constant and poisson arrivals
    duration: TimeLimit = 20.0  # of constant and poisson arrivals, and of a closed loop
    at_most: Count = 12_000  # running scripts; a start beyond them is skipped and counted
    time_limit: TimeLimit = 100.0  # then the run is cut, whatever still runs
    processes: Count = 1
    seed: CountOrZero = 1


def _at_least_one(value: object) -> object:
    if isinstance(value, list) and not value:
        raise misfit("at least one group of scripts", value)
    return value


class Scenario(Section):
    """One experiment, run once per target."""

    name: Name
    proves: Text
    scale: Text = "none: the real numbers"
    targets: Annotated[tuple[Target, ...], BeforeValidator(_as_list)] = ("direct", "ftpweir")
    server: Server = Server()
    firewall: Wall = Wall()
    scripts: Annotated[tuple[Group, ...], BeforeValidator(_at_least_one)]
    load: Load = Load()
    ftpweir: dict[str, Any] = Field(default_factory=dict)  # sections of the proxy's configuration
    extrapolate_to: FilesOrNone = None  # files; how long so many would take at this rate
    time_factor: Count = 1  # how many times faster than real the holds are; for extrapolation
    fail_if: Text | None = None

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [group.name for group in self.scripts]
        for name in names:
            if names.count(name) > 1:
                raise misfit("groups with different names", name)
        return self

    @property
    def judged(self) -> str:
        """The target whose faults are failures; direct is the baseline beside it."""
        others = [target for target in self.targets if target != "direct"]
        return others[0] if others else self.targets[0]

    @property
    def scripts_in_all(self) -> int:
        """The scripts of all groups."""
        return sum(group.count for group in self.scripts)
