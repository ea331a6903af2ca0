"""Plots as SVG text, coloured by the page's style sheet so they follow light and dark. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from .. import words
from .findings import SeriesPoint

WIDTH, HEIGHT = 560, 260
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 14, 34


@dataclass(frozen=True, slots=True)
class Series:
    """One line; `tint` is the number of its colour in the style sheet."""

    name: str
    tint: int
    points: Sequence[SeriesPoint]


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to pixels."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def at(self, value: float) -> float:
        """Return where a value lies."""
        low, high, it = self.low, self.high, min(max(value, self.low), self.high)
        if self.is_log:
            low, high, it = log10(low), log10(high), log10(it)
        return self.start + (it - low) / (high - low) * (self.end - self.start)


def over_time(title: str, series: Sequence[Series], unit: str, limit: float | None = None) -> str:
    """Draw lines over seconds, with a limit as a dashed line."""
    points = [point for line in series for point in line.points]
    if not points:
        return ""
    top = max([value for _, value in points] + ([limit] if limit else [])) or 1.0
    across = Axis(0, max(max(x for x, _ in points), 0.1), LEFT, WIDTH - RIGHT)
    up = Axis(0, top * 1.08, HEIGHT - BOTTOM, TOP)
    parts = [_ticks_up(up, nice(up.high), words.number), _ticks_across(across, unit)]
    for line in series:
        parts.append(_steps(line, across, up))
    if limit:
        y = up.at(limit)
        parts.append(
            f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="limit-word" x="{WIDTH - RIGHT - 4}" y="{y - 5:.1f}">'
            f"limit {limit:,.0f}</text>"
        )
    return _svg(title, parts, across, series)


def spectrum(title: str, series: Sequence[Series]) -> str:
    """Draw latency by percentile; each step to the right is ten times rarer."""
    values = [value for line in series for _, value in line.points if value > 0]
    if not values:
        return ""
    low, high = 10 ** floor(log10(min(values))), 10 ** ceil(log10(max(values) * 1.001))
    across = Axis(0, 4, LEFT, WIDTH - RIGHT)
    up = Axis(low, high, HEIGHT - BOTTOM, TOP, is_log=True)
    decades = [10.0**power for power in range(round(log10(low)), round(log10(high)) + 1)]
    parts = [_ticks_up(up, decades, words.seconds)]
    for x, name in ((0, "0"), (0.301, "50 %"), (1, "90 %"), (2, "99 %"), (3, "99.9 %"), (4, "max")):
        parts.append(_tick_across(across.at(x), name))
    for line in series:
        drawn = [(_rarity(share), max(value, low)) for share, value in line.points]
        path = " ".join(
            f"{'L' if at else 'M'}{across.at(x):.1f} {up.at(y):.1f}"
            for at, (x, y) in enumerate(drawn)
        )
        parts.append(f'<path class="line tint-{line.tint}" d="{path}"/>')
    return _svg(title, parts, None, series)


def shares(title: str, bars: Sequence[tuple[str, int, int]], tint: int) -> str:
    """Draw how much of what each source wanted it got, worst first."""
    ordered = sorted(bars, key=lambda bar: bar[1] / bar[2] if bar[2] else 1.0)
    step = max(1, ceil(len(ordered) / 120))
    shown = ordered[::step]
    height = 110
    across = Axis(0, len(shown), LEFT, WIDTH - RIGHT)
    up = Axis(0, 1, height - 16, 8)
    width = min(24.0, max(1.0, (WIDTH - LEFT - RIGHT) / len(shown) - 1.5))
    parts = [_ticks_up(up, [0, 0.5, 1], words.share)]
    for at, (name, done, planned) in enumerate(shown):
        got = done / planned if planned else 1.0
        parts.append(
            f'<rect class="wanted" x="{across.at(at):.1f}" y="{up.at(1):.1f}" '
            f'width="{width:.1f}" height="{up.at(0) - up.at(1):.1f}"/>'
            f'<rect class="bar tint-{tint}" x="{across.at(at):.1f}" y="{up.at(got):.1f}" '
            f'width="{width:.1f}" height="{up.at(0) - up.at(got):.1f}">'
            f"<title>{escape(name)}: {done:,} of {planned:,}</title></rect>"
        )
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        + "".join(parts)
        + "</svg>"
    )


def nice(high: float, about: int = 5) -> list[float]:
    """Return round numbers from zero up to `high`."""
    rough = high / about
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    return [step * at for at in range(int(high / step + 1e-9) + 1)]


def _rarity(share: float) -> float:
    return 4.0 if share >= 0.9999 else -log10(1 - share)


def _steps(line: Series, across: Axis, up: Axis) -> str:
    if not line.points:
        return ""
    path = ""
    for at, (x, y) in enumerate(line.points):
        joined = "H{:.1f}V{:.1f}" if at else "M{:.1f} {:.1f}"
        path += joined.format(across.at(x), up.at(y))
    end_x, end_y = line.points[-1]
    return (
        f'<path class="line tint-{line.tint}" d="{path}"/>'
        f'<circle class="end tint-{line.tint}" cx="{across.at(end_x):.1f}" '
        f'cy="{up.at(end_y):.1f}" r="3.5"><title>{escape(line.name)} ends</title></circle>'
    )


def _ticks_up(up: Axis, values: Sequence[float], told: Callable[[float], str]) -> str:
    return "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up.at(it):.1f}" '
        f'y2="{up.at(it):.1f}"/>'
        f'<text class="tick up" x="{LEFT - 8}" y="{up.at(it) + 4:.1f}">{told(it)}</text>'
        for it in values
        if up.low <= it <= up.high
    )


def _ticks_across(across: Axis, unit: str) -> str:
    values = nice(across.high)
    return "".join(_tick_across(across.at(it), f"{it:g} {unit}") for it in values)


def _tick_across(x: float, name: str) -> str:
    return f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 12}">{escape(name)}</text>'


def _svg(title: str, parts: list[str], across: Axis | None, series: Sequence[Series]) -> str:
    reach = f' data-seconds="{across.high:.4f}"' if across else ""
    names = " and ".join(line.name for line in series)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"{reach} '
        f'data-left="{LEFT}" data-right="{WIDTH - RIGHT}" data-top="{TOP}" '
        f'data-bottom="{HEIGHT - BOTTOM}" '
        f'aria-label="{escape(title)}: {escape(names)}">' + "".join(parts) + "</svg>"
    )
