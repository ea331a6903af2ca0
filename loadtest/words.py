"""Numbers as people read them: times, sizes, shares. Pure."""

from __future__ import annotations


def seconds(value: float) -> str:
    """Write a time with three digits that matter."""
    if value < 0.001:
        return f"{value * 1e6:.0f}µs"
    if value < 0.9995:
        return f"{float(f'{value * 1000:.3g}'):g}ms"
    if value < 120:
        return f"{float(f'{value:.3g}'):g}s"
    if value < 7200:
        return f"{value / 60:.1f}min"
    return f"{value / 3600:.1f}h"


def size(value: float) -> str:
    """Write bytes in the unit that suits them."""
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def share(value: float) -> str:
    """Write a share so that 99.96 % does not look like all."""
    percent = value * 100
    if 99.9 <= percent < 100 or 0 < percent < 0.1:
        return f"{percent:.2f} %"
    return f"{percent:.4g} %" if percent == round(percent) else f"{percent:.1f} %"


def number(value: float) -> str:
    """Write a count."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
