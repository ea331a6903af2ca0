"""`ftpweir plan`: what a configuration lets a batch do, as tables or as JSON. Connects to nothing.

The arithmetic is in shaping/forecast.py; here it is fed from the configuration and told. The keys
of the JSON are documented in docs/TIME_WAIT.md and do not change without a word in the changelog.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from proxy.config import ClientClass, Config
from proxy.config.units import show_duration
from proxy.shaping.allowance import AUTO_START
from proxy.shaping.forecast import Allowed, Batch, Forecast, forecast
from proxy.shaping.holds import PROFILES, Ending, Holds, explicit
from proxy.shaping.ledger import Kind
from proxy.store.budget import SHORT

OWN = "as configured"

# Where the numbers of each profile come from.
SOURCES: Mapping[str, str] = {
    "csf": "lfd counts lines of the server's socket table; Linux keeps TIME_WAIT "
    "for 60 s and up to 5 more",
    "conntrack": "the kernel's nf_conntrack sysctls: time_wait and syn_sent 120 s, close 10 s",
    "windows": "TcpTimedWaitDelay of Windows 2000 and before: 240 s unless set; 2003: 120 s",
    "none": "counters that leave out TIME_WAIT and CLOSE, such as iptables connlimit",
    "time_wait": "only the time is known: every end costs it, but a reset at most conntrack's 10 s",
}


@dataclass(frozen=True, slots=True)
class Question:
    """The batch that is asked about."""

    files: int
    size: int  # bytes of each file
    kind: Kind
    sources: int
    client_class: str | None  # None: the last class, which matches everybody
    overhead: float  # seconds that a file takes beside its bytes: commands, round trips
    bandwidth: int  # bytes per second of one transfer

    @property
    def duration(self) -> float:
        """Seconds for one file."""
        return self.overhead + self.size / self.bandwidth


@dataclass(frozen=True, slots=True)
class Option:
    """One way to end connections under one kind of counter, and what comes of it."""

    profile: str
    close: str
    hold: float
    outcome: Forecast


class Plan:
    """The answer."""

    def __init__(self, config: Config, question: Question) -> None:
        self._config = config
        self._question = question
        self._class = _class_of(config, question.client_class)
        # Each address of ours is counted apart: it has a budget and sessions of its own.
        self._addresses = max(1, len(config.upstream.source_addresses))
        self._sessions = (config.upstream.sessions or AUTO_START) * self._addresses
        self.configured = self._option(OWN, config.budget.close)
        self.options = tuple(
            self._option(profile, close)
            for profile in (OWN, *PROFILES)
            for close in ("fin", "reset")
        )

    @property
    def slots(self) -> int:
        """What the budget leaves to transfers: the control connections count as well."""
        return max(1, self._config.budget.limit * self._addresses - self._sessions)

    def as_json(self) -> dict[str, Any]:
        """Return plain values with documented keys."""
        budget, question = self._config.budget, self._question
        return {
            "batch": {
                "files": question.files,
                "size": question.size,
                "kind": question.kind.value,
                "sources": question.sources,
                "class": self._class.name,
            },
            "assumed": {"seconds_per_file": question.duration, "sessions": self._sessions},
            "budget": {
                "connections": budget.connections,
                "limit": budget.limit,
                "addresses": self._addresses,
                "slots": self.slots,
                "enforce": budget.enforce,
                "guard": budget.guard,
            },
            "plan": _option_as_json(self.configured)
            | {
                "burst": self.configured.outcome.burst,
                "limits": [
                    {"bound": one.bound.value, "rate": one.rate, "last_start": one.last_start}
                    for one in self.configured.outcome.strains
                ],
            },
            "alternatives": [_option_as_json(option) for option in self.options],
            "holds": [
                {
                    "profile": holds.name,
                    "server_closed": holds.server_closed,
                    "we_closed": holds.we_closed,
                    "reset": holds.reset,
                    "unanswered": holds.unanswered,
                    "source": SOURCES[holds.name],
                }
                for holds in self._all_holds()
            ],
        }

    def as_text(self) -> Group:
        """Return what a terminal shows."""
        return Group(
            self._answer(), Text(), self._limits(), Text(), self._choices(), Text(), self._holds()
        )

    # What comes of it.

    def _option(self, profile: str, close: str) -> Option:
        question = self._question
        # An upload ends as it must: a reset would throw its last bytes away.
        is_reset = close == "reset" and question.kind is not Kind.UPLOAD
        ending = Ending.RESET if is_reset else Ending.FIN
        holds = self._own_holds() if profile == OWN else PROFILES[profile]
        hold = holds.of(question.kind, ending) + self._config.budget.guard
        allowed = None
        if self._config.budget.enforce == "on":
            allowed = Allowed(self.slots, hold, is_paced=hold >= SHORT)
        batch = Batch(
            files=question.files,
            duration=question.duration,
            sessions=self._sessions,
            sources=question.sources,
            transfers=self._class.transfers,
            transfers_per_minute=self._class.transfers_per_minute,
        )
        return Option(profile, close, hold, forecast(batch, allowed))

    def _own_holds(self) -> Holds:
        budget = self._config.budget
        return explicit(budget.time_wait) if budget.profile is None else PROFILES[budget.profile]

    def _all_holds(self) -> Iterator[Holds]:
        yield from PROFILES.values()
        if self._config.budget.profile is None:
            yield self._own_holds()

    # Telling it.

    def _answer(self) -> Text:
        config, question, own = self._config, self._question, self.configured
        told = Text()
        told.append(f"{question.files:,} {question.kind}s of {question.size:,} bytes take about ")
        told.append(_span(own.outcome.seconds), style="bold")
        told.append(f", {_rate(own.outcome.rate)} in the long run.\n")
        told.append("What decides it: ")
        told.append(own.outcome.bound.value, style="bold")
        told.append(".\n")
        if config.budget.enforce != "on":
            told.append(f"budget.enforce is {config.budget.enforce}: no file waits for the budget.")
        else:
            told.append(
                f"Budget: {config.budget.connections} connections{self._each}; "
                f"{config.budget.limit} of them are ours, in all {self.slots} for transfers "
                f"beside {self._sessions} sessions.\n"
                f"Each holds its slot for {own.hold:g} s after its end "
                f"(guard included, close: {own.close}). "
                f"The first {own.outcome.burst:,} files need not wait for it."
            )
        told.append(
            f"\nAssumed: {question.duration:.3g} s for each file, {question.sources} source(s) of "
            f"class {self._class.name}, nobody else."
        )
        return told

    @property
    def _each(self) -> str:
        return f" for each of {self._addresses} addresses" if self._addresses > 1 else ""

    def _limits(self) -> Table:
        table = Table(title="Each limit by itself", title_justify="left")
        for name in ("limit", "files/s", "files/min", "last file starts after"):
            table.add_column(name, justify="left" if name == "limit" else "right")
        for one in sorted(self.configured.outcome.strains, key=lambda one: -one.last_start):
            is_worst = one.bound is self.configured.outcome.bound
            table.add_row(
                one.bound.value,
                f"{one.rate:.2f}",
                f"{60 * one.rate:,.0f}",
                _span(one.last_start),
                style="bold" if is_worst else "",
            )
        return table

    def _choices(self) -> Table:
        table = Table(
            title="What another counter or another close would mean", title_justify="left"
        )
        # One row for each pair: side by side they do not fit a terminal of 80 columns.
        for name in ("counter", "close", "held", "rate", "in all", "limited by"):
            right = name in ("held", "rate", "in all")
            table.add_column(name, justify="right" if right else "left")
        for option in self.options:
            table.add_row(option.profile, option.close, *_cells(option))
        return table

    def _holds(self) -> Table:
        table = Table(
            title="How long a closed connection counts (seconds, guard apart)", title_justify="left"
        )
        # Headings of two words take two lines, to leave the room to the source.
        for name in ("counter", "server\nclosed", "we\nclosed", "reset", "no\nanswer", "source"):
            right = name not in ("counter", "source")
            table.add_column(name, justify="right" if right else "left")
        for one in self._all_holds():
            told = (one.server_closed, one.we_closed, one.reset, one.unanswered)
            table.add_row(one.name, *(f"{seconds:g}" for seconds in told), SOURCES[one.name])
        table.caption = (
            "Downloads, listings and control connections are closed by the server, uploads by us."
        )
        table.caption_justify = "left"
        return table


class NoSuchClass(Exception):
    """The configuration has no class of that name."""


def _class_of(config: Config, name: str | None) -> ClientClass:
    if name is None:
        return config.clients[-1]
    for one in config.clients:
        if one.name == name:
            return one
    raise NoSuchClass(
        f"no class {name!r}; there is {', '.join(one.name for one in config.clients)}"
    )


def _option_as_json(option: Option) -> dict[str, Any]:
    return {
        "profile": option.profile,
        "close": option.close,
        "hold": option.hold,
        "rate": option.outcome.rate,
        "seconds": option.outcome.seconds,
        "bound": option.outcome.bound.value,
    }


def _cells(option: Option) -> tuple[str, str, str, str]:
    outcome = option.outcome
    return (
        f"{option.hold:g} s",
        f"{60 * outcome.rate:,.0f}/min",  # one unit, so that rows can be compared
        _span(outcome.seconds),
        outcome.bound.value,
    )


def _rate(per_second: float) -> str:
    """Write a pace in the unit that people count in."""
    return f"{per_second:.1f}/s" if per_second >= 10 else f"{60 * per_second:.0f}/min"


def _span(seconds: float) -> str:
    """Write a duration no finer than an estimate deserves."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    grain = 60 if seconds >= 3600 else 1
    return show_duration(float(round(seconds / grain) * grain))
