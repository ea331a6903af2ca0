"""The levels over time as one SVG file on a ground of its own, for light and dark. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from loadtest.report.plots import Axis, nice

from .findings import Held, Soak
from .levels import Level
from .trend import Point

WIDTH, HEIGHT = 400, 190  # of one panel
COLUMNS: Final = 2
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 44, 28
HEAD: Final = 56
MOST_POINTS: Final = 600

_STYLE: Final = """
:root { --ground: #ffffff; --ink: #1b2430; --faint: #667085; --line: #e3e7ed; --dots: #2563c9;
  --trend: #d9772a; --warm: #f0f2f5; --bad: #c0322b; --good: #0a7d4b; }
@media (prefers-color-scheme: dark) { :root { --ground: #1b2129; --ink: #e7ebf0; --faint: #98a3b3;
  --line: #2d3642; --dots: #6fa8ff; --trend: #f0a35e; --warm: #242b35; --bad: #ff7b72;
  --good: #4cc38a; } }
text { font: 11px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--faint); }
.title { font-size: 17px; font-weight: 600; fill: var(--ink); } .name { font-size: 13px;
  font-weight: 600; fill: var(--ink); } .rises { fill: var(--bad); } .level { fill: var(--good); }
.up { text-anchor: end; } .across { text-anchor: middle; } .ground { fill: var(--ground); }
.warm { fill: var(--warm); } .grid { stroke: var(--line); } .dots { fill: none;
  stroke: var(--dots); stroke-width: 1.2; stroke-linejoin: round; }
.trend { stroke: var(--trend); stroke-width: 2; stroke-dasharray: 6 3; }
"""


def draw(soak: Soak, title: str) -> str:
    """Draw a panel for each level."""
    rows = -(-len(soak.held) // COLUMNS)
    width, height = COLUMNS * WIDTH, HEAD + rows * HEIGHT + 12
    panels = "".join(
        f'<g transform="translate({at % COLUMNS * WIDTH} {HEAD + at // COLUMNS * HEIGHT})">'
        f"{_panel(held, soak)}</g>"
        for at, held in enumerate(soak.held)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}"><style>{_STYLE}</style>'
        f'<rect class="ground" width="{width}" height="{height}" rx="10"/>'
        f'<text class="title" x="24" y="30">{escape(title)}</text>'
        f'<text x="24" y="48">shaded: warm-up, not judged; dashed: the line that is judged</text>'
        f"{panels}</svg>\n"
    )


def _panel(held: Held, soak: Soak) -> str:
    level, points = held.level, held.points
    across = Axis(0, max(points[-1][0], 1.0), LEFT, WIDTH - RIGHT)
    top = max(value for _, value in points)
    up = Axis(0, max(top * 1.15, 4.0), HEIGHT - BOTTOM, TOP)
    warm = across.at(soak.warm_up)
    parts = [
        f'<text class="name" x="{LEFT}" y="18">{escape(level.title)}</text>',
        f'<text class="{"rises" if held.rises else "level"}" x="{LEFT}" y="34">'
        f"{escape(held.words)}</text>",
        f'<rect class="warm" x="{LEFT}" y="{TOP}" width="{warm - LEFT:.1f}" '
        f'height="{HEIGHT - BOTTOM - TOP}"/>',
        _grid(level, up),
        _seconds(across),
        f'<path class="dots" d="{_path(points, across, up)}"/>',
    ]
    line = held.trend
    begins, ends = up.at(line.begins), up.at(line.ends)
    parts.append(
        f'<line class="trend" x1="{warm:.1f}" y1="{begins:.1f}" '
        f'x2="{across.at(points[-1][0]):.1f}" y2="{ends:.1f}"/>'
    )
    return "".join(parts)


def _grid(level: Level, up: Axis) -> str:
    return "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up.at(it):.1f}" '
        f'y2="{up.at(it):.1f}"/>'
        f'<text class="up" x="{LEFT - 6}" y="{up.at(it) + 4:.1f}">{escape(level.told(it))}</text>'
        for it in (level.unit * step for step in nice(up.high / level.unit, about=4))
    )


def _seconds(across: Axis) -> str:
    unit, name = (60, "min") if across.high >= 180 else (1, "s")
    return "".join(
        f'<text class="across" x="{across.at(it * unit):.1f}" y="{HEIGHT - BOTTOM + 16}">'
        f"{it:g} {name}</text>"
        for it in nice(across.high / unit)
    )


def _path(points: Sequence[Point], across: Axis, up: Axis) -> str:
    """Draw at most so many samples that a file stays small; the dropped ones are like these."""
    step = -(-len(points) // MOST_POINTS)
    return " ".join(
        f"{'L' if at else 'M'}{across.at(x):.1f} {up.at(y):.1f}"
        for at, (x, y) in enumerate(points[::step])
    )
