"""What the status API tells, as tables for a terminal: for `ftpweir show` and `top`.

Names and paths come from the network: they are shown without markup and without control characters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

Told = dict[str, Any]
Column = tuple[str, Callable[[Told], object]]

BAR: Final = 40  # characters
# The columns that give way on a narrow terminal.
LONG: Final = frozenset({"does", "wants", "waits for", "heard", "value", "default"})
# What other instances own, used or not; of workers that were added up, what they own unused.
ELSEWHERE: Final = "dealt out but not used here"
UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def plain(value: object) -> Text:
    """Return a text in which nothing moves the cursor, rings, or changes colours."""
    return Text("".join(char if char.isprintable() else "?" for char in str(value)))


def duration(seconds: float) -> str:
    """Write seconds as a person says them."""
    if seconds < 0.95:
        return f"{max(0.0, seconds):.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 129_600 else f"{seconds / 86_400:.0f} days"


def size(count: float) -> str:
    """Write bytes as a person says them."""
    unit = 0
    while count >= 1024 and unit < len(UNITS) - 1:
        count, unit = count / 1024, unit + 1
    return f"{count:.1f} {UNITS[unit]}" if unit and count < 100 else f"{count:.0f} {UNITS[unit]}"


def table(rows: Sequence[Told], columns: Sequence[Column], empty: str) -> RenderableType:
    """Lay out rows, numbers to the right; say `empty` instead of a table without any."""
    if not rows:
        return Text(empty, style="dim")
    made = Table(box=None, pad_edge=False, header_style="dim")
    for head, _ in columns:
        name = head.lstrip(">")
        justify: Literal["left", "right"] = "left" if name == head else "right"
        made.add_column(name, justify=justify, no_wrap=name not in LONG)
    for row in rows:
        made.add_row(*(plain(cell(row)) for _, cell in columns))
    return made


def budget(told: Told) -> RenderableType:
    """Show how full each budget is, as a bar and in figures."""
    lines = []
    for one in told["budgets"]:
        used = one["open"] + one["cooling"] + one["elsewhere"]
        cells = [round(BAR * one[kind] / one["limit"]) for kind in ("open", "cooling", "elsewhere")]
        bar = Text("[")
        for count, style in zip(cells, ("blue", "yellow", "magenta"), strict=True):
            bar.append("\u2588" * min(count, BAR - len(bar) + 1), style)
        bar.append(" " * (BAR - len(bar) + 1) + "]")
        bar.append(f" {used} of {one['limit']}", "bold")
        bar.append(f" ({one['name']})" if one["name"] != "default" else "")
        lines.append(bar)
        lines.append(plain(_budget_words(one)))
    if mode := told.get("store_lost"):
        lines.append(plain(f"the store cannot be reached: sharing.on_store_down: {mode}"))
    if seconds := told.get("store_new_for"):
        lines.append(plain(f"the store is new: nothing is dealt out for {duration(seconds)} more"))
    return Group(*lines)


def _budget_words(one: Told) -> str:
    words = []  # what alarms first: a narrow terminal shows no more
    if one["banned_for"]:
        words.append(f"BAN SUSPECTED, nothing is tried for {duration(one['banned_for'])}")
    elif one["is_lowered"]:
        words.append(f"another instance goes by {one['limit']}, not by {one['configured']}")
    elif one["limit"] < one["configured"]:
        words.append(f"lowered from {one['configured']} after a suspected ban")
    words += [f"{one['open']} open", f"{one['cooling']} cooling"]
    if one["elsewhere"]:
        words.append(f"{one['elsewhere']} {ELSEWHERE}")
    words.append(f"{max(0, one['limit'] - one['open'] - one['cooling'] - one['elsewhere'])} free")
    if one["next_slot"]:
        words.append(f"next slot in {duration(one['next_slot'])}")
    words.append(f"carries {60 * one['per_second']:.0f} connections a minute")
    if one["enforce"] != "on":
        words.append(f"enforce: {one['enforce']}")
    return ", ".join(words)


def queue(told: Told) -> RenderableType:
    """Show who waits, in the order of turns."""
    head = f"{told['length']} of {told['limit']} wait, each for at most {told['max_wait']:g} s"
    rows = table(
        told["first"],
        (
            (">place", lambda one: one["place"]),
            ("user", _user),
            ("source", lambda one: one["source"]),
            ("class", lambda one: one["client_class"]),
            ("wants", lambda one: one["errand"] or one["wants"]),
            ("waits for", lambda one: one["waits_for"]),
            (">since", lambda one: duration(one["waited"])),
            (">turn in", lambda one: "-" if one["eta"] is None else f"~{duration(one['eta'])}"),
        ),
        "Nobody waits.",
    )
    return Group(Text(head, "bold"), rows)


def _user(one: Told) -> str:
    return f"{one['user']} at {one['server']}" if one.get("server") else str(one["user"])


def sessions(told: Told) -> RenderableType:
    """Show the clients."""
    rows = table(
        told["sessions"],
        (
            ("id", lambda one: one["id"]),
            ("user", _user),
            ("source", lambda one: one["source"]),
            ("class", lambda one: one["client_class"]),
            ("does", _deed),
            (">transfers", lambda one: one["transfers"]),
            (">moved", lambda one: size(one["bytes_down"] + one["bytes_up"])),
            (">here for", lambda one: duration(one["age"])),
        ),
        "No client is connected.",
    )
    more = told["total"] - len(told["sessions"])
    return Group(rows, Text(f"and {more} more", "dim")) if more > 0 else rows


def _deed(one: Told) -> str:
    pinned = f", pinned by {one['pinned_by']}" if one["pinned_by"] else ""
    if not one["phase"]:
        return f"{one['doing']}{pinned}"
    return f"{one['doing']} {one['path']}".strip() + f" ({one['phase']}){pinned}"


def upstream(told: Told) -> RenderableType:
    """Show our sessions with the server; where there are several, how they share them."""
    head = f"{told['server']}: {len(told['sessions'])} of {_seats(told)} sessions"
    parts: list[RenderableType] = [Text(head, "bold")]
    if machines := told.get("machines"):
        parts += [_machines(machines), Text()]
    trouble = told["trouble"]
    if trouble is not None and not trouble["is_over"]:
        moment = time.strftime("%H:%M:%S", time.localtime(trouble["at"]))
        where = f" at {trouble['server']}" if trouble.get("server") else ""
        words = f"{trouble['reason']}: {trouble['words']}"
        parts.append(plain(f"trouble{where} since {moment}: {words}"))
    rows = table(
        told["sessions"],
        (
            (">id", lambda one: "" if one["id"] is None else one["id"]),
            ("login", _user),
            ("budget", lambda one: one["budget"]),
            ("does", lambda one: one["use"] + (", pinned" if one["pinned"] else "")),
            ("for client", lambda one: one["client"]),
            (">since", lambda one: duration(one["since"])),
            (">age", lambda one: duration(one["age"])),
            (">lent", lambda one: one["leases"]),
        ),
        "None is open.",
    )
    return Group(*parts, rows)


def _machines(machines: Sequence[Told]) -> RenderableType:
    return table(
        machines,
        (
            ("server", lambda one: f"{one.get('server', '')} {one['address']}".strip()),
            ("is", _state),
            (">sessions", lambda one: f"{one['sessions']} of {_seats(one)}"),
        ),
        "",
    )


def _seats(one: Told) -> str:
    more = f" ({one['elsewhere']} {ELSEWHERE})" if one["elsewhere"] else ""
    return f"{one['limit']}{more}"


def _state(one: Told) -> str:
    away = f" for {duration(one['down_for'])}" if one["down_for"] is not None else ""
    return f"{one['state']}{away if one['state'] == 'down' else ''}"


def classes(told: Told) -> RenderableType:
    """Show what each class has, and in brackets what one of its sources may have."""

    def capped(key: str, limit: str) -> Callable[[Told], str]:
        return lambda one: f"{one[key]}" + (f" ({one[limit]})" if one[limit] is not None else "")

    return table(
        told["classes"],
        (
            ("class", lambda one: one["name"] or "(none fits)"),
            (">sources", lambda one: one["sources"]),
            (">sessions", capped("sessions", "limit_sessions")),
            (">transfers", capped("transfers", "limit_transfers")),
            (">a minute", lambda one: one["limit_transfers_per_minute"] or "-"),
            (
                ">a second",
                lambda one: size(one["limit_bandwidth"]) if one["limit_bandwidth"] else "-",
            ),
            (">waiting", lambda one: one["waiting"]),
            (">slots", lambda one: one["slots"]),
            (">weight", lambda one: f"{one['weight']:g}"),
        ),
        "",
    )


def refusals(told: Told) -> RenderableType:
    """Show the latest refusals as clients have heard them."""
    return table(
        told["refusals"],
        (
            ("at", lambda one: time.strftime("%H:%M:%S", time.localtime(one["at"]))),
            ("user", _user),
            ("source", lambda one: one["source"]),
            ("class", lambda one: one["client_class"]),
            ("heard", lambda one: f"{one['code']} {one['sentence']}"),
        ),
        "Nobody was turned away.",
    )


def config(told: Told) -> RenderableType:
    """Show what holds, what would without the file, and when a reload changes it."""
    return table(
        told["settings"],
        (
            ("setting", lambda one: one["key"]),
            ("value", lambda one: one["value"]),
            ("default", lambda one: "" if one["value"] == one["default"] else one["default"]),
            ("from", lambda one: "given" if one["is_given"] else "default"),
            ("a reload changes it", lambda one: one["reload"]),
        ),
        "",
    )


SECTIONS: Final[Mapping[str, Callable[[Told], RenderableType]]] = {
    "config": config,
    "sessions": sessions,
    "upstream": upstream,
    "budget": budget,
    "queue": queue,
    "classes": classes,
    "refusals": refusals,
}
