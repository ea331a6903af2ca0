"""What the proxy is meant to reach, as ratios within one run, and whether it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .peers import DIRECT, FTPWEIR, HAPROXY, MOD_PROXY
from .results import Run, Sample


@dataclass(frozen=True, slots=True)
class Aim:
    """One of them; `reached` returns None when the run did not measure it."""

    title: str
    least: float | None
    most: float | None
    reached: Callable[[Run], float | None]

    @property
    def wanted(self) -> str:
        """The limit in words."""
        return f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"

    def is_met(self, value: float) -> bool:
        """Tell whether a value is good enough."""
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )


def _ratio(work: str, other: str) -> Callable[[Run], float | None]:
    return lambda run: run.ratio(work, FTPWEIR.name, other)


def _price(sample: Sample) -> float:
    return sample.price


def _unevenness(sample: Sample) -> float:
    fewest, middle, most = sample.shares
    return max(most - middle, middle - fewest) / middle if middle else 1.0


def _price_ratio(work: str) -> Callable[[Run], float | None]:
    return lambda run: run.ratio(work, FTPWEIR.name, HAPROXY.name, _price)


AIMS: Final = (
    Aim("bulk download / HAProxy, 1 at once", 1.2, None, _ratio("bulk-1-down", HAPROXY.name)),
    Aim("bulk download / HAProxy, 8 at once", 1.2, None, _ratio("bulk-8-down", HAPROXY.name)),
    Aim("CPU per GiB / HAProxy's, 1 at once", None, 0.9, _price_ratio("bulk-1-down")),
    Aim("CPU per GiB / HAProxy's, 8 at once", None, 0.9, _price_ratio("bulk-8-down")),
    Aim("1 KB files, 8 scripts / mod_proxy", 1.3, None, _ratio("small-8-down", MOD_PROXY.name)),
    Aim(
        "20,000 files: last decile / first",
        0.9,
        None,
        lambda run: run.middle("sustained", FTPWEIR.name),
    ),
    Aim(
        "20 ms away, 8 scripts over 2 sessions / 2 scripts straight",
        1.5,
        None,
        _ratio("wan-down", DIRECT.name),
    ),
    Aim(
        "NOOP while 10 bulk transfers run: p99, ms",
        None,
        10.0,
        lambda run: run.middle("answer", FTPWEIR.name),
    ),
    Aim(
        "200 bulk transfers: farthest from the median share",
        None,
        0.2,
        lambda run: run.middle("bulk-200-down", FTPWEIR.name, _unevenness),
    ),
)
