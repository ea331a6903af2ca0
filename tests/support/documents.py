"""The parts of the documents that are made from the code: state tables, defaults, what is to come.

`python -m tests.support.documents` writes them; tests/unit/test_documents.py finds any drift.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from proxy.config import Effect, effect_of, explain, keys
from proxy.config.in_effect import Setting
from proxy.ftp import dialogue
from proxy.ftp.command import COMMANDS, Treatment, parse_command
from proxy.ftp.dialogue import Dialogue, Stage
from proxy.ftp.facts import ServerFacts
from proxy.ftp.reply import Refused
from proxy.ops import snapshot
from proxy.ops.doctor.causes import CAUSES
from proxy.ops.metrics.table import METRICS, Type
from proxy.shaping.holds import PROFILES, explicit
from proxy.upstream import condition, seat
from proxy.upstream.condition import Fitness, Unfinished
from proxy.upstream.moves import Moves, S

ROOT = Path(__file__).parents[2]
GENERATED = (
    ROOT / "docs" / "ARCHITECTURE.md",
    ROOT / "docs" / "BEHAVIOUR.md",
    ROOT / "docs" / "OPERATIONS.md",
)

# Whose defaults a client meets without asking for them.
LIMITS = ("timeouts.", "queue.", "login.", "refusals.", "upstream.idle", "upstream.session_")

# What stands under each path of the status API.
API = {
    "`/api/status`": snapshot.Snapshot,
    "`/api/budget`, each of `budgets`": snapshot.BudgetSeen,
    "`/api/queue`": snapshot.QueueSeen,
    "its `first`, whose turns are next": snapshot.Waiter,
    "its `classes`, for each server": snapshot.ClassQueue,
    "its `servers`": snapshot.ServerQueue,
    "`/api/sessions`: `total`, and each of `sessions`": snapshot.ClientSeen,
    "`/api/upstream`: `server`, `limit`, `elsewhere`, each of `sessions`": snapshot.UpstreamSeen,
    "its `machines`, where there are several": snapshot.MachineSeen,
    "its `trouble`": snapshot.Trouble,
    "`/api/classes`, each of `classes`": snapshot.ClassSeen,
    "`/api/refusals`, each of `refusals`": snapshot.RefusalSeen,
    "`/api/config`, each of `settings`": Setting,
}

# Commands that may change the stage, and what the server may have said to those that ask it.
_STEPS = (b"USER u", b"PASS p", b"ACCT a", b"REIN")
_OUTCOMES: dict[str, Callable[[Dialogue], None]] = {
    "taken": lambda one: one.logged_in(b"/", ServerFacts()),
    "332": lambda one: one.account_wanted(),
    "refused": lambda one: one.login_failed(),
}
_ASKED = frozenset({"PASS", "ACCT"})

_PART = re.compile(
    r"(?P<start><!-- generated: (?P<name>[a-z-]+) -->\n)(?P<body>.*?)(?P<end><!-- /generated -->)",
    re.DOTALL,
)


def parts() -> dict[str, str]:
    """Return every generated part by the name that its marks in the document carry."""
    return {
        "stages": _mermaid(_stage_changes(), first=Stage.GREETED.name),
        "commands": _command_table(),
        "seat": _mermaid(_table(seat.USE_MOVES), first=seat.Use.OPENING.name),
        "fitness": _mermaid(_table(condition.FITNESS_MOVES), first=Fitness.FIT.name),
        "unfinished": _mermaid(_table(condition.UNFINISHED_MOVES), first=Unfinished.NOTHING.name),
        "limits": _limits_table(),
        "holds": _holds_table(),
        "metrics": _metric_table(),
        "api": _api_table(),
        "findings": _findings_table(),
        "effects": _effects_table(),
    }


def written_anew(document: str) -> str:
    """Return the document with its generated parts as they should be."""
    fresh = parts()
    return _PART.sub(
        lambda found: f"{found['start']}{fresh[found['name']]}\n{found['end']}", document
    )


def names_of_parts(document: str) -> list[str]:
    """Return the names of the parts that a document asks for."""
    return [found["name"] for found in _PART.finditer(document)]


def _stage_changes() -> Iterator[tuple[str, str, str]]:
    """Drive a Dialogue from every stage by every step, and tell where each led."""
    for stage in Stage:
        for line in _STEPS:
            verb = parse_command(line).verb
            outcomes = _OUTCOMES if verb in _ASKED else {"": lambda _: None}
            for word, tell in outcomes.items():
                reached = _reached(stage, line, tell)
                if reached is not None and reached is not stage:
                    yield stage.name, reached.name, f"{verb} {word}".strip()


def _reached(stage: Stage, line: bytes, tell: Callable[[Dialogue], None]) -> Stage | None:
    """Return the stage after this step; None when it is refused there."""
    one = Dialogue("127.0.0.1", is_ipv6=False, site_harmless=frozenset())
    one.stage = stage
    try:
        one.decide(parse_command(line))
    except Refused:
        return None
    tell(one)
    return one.stage


def _table(moves: Moves[S]) -> Iterator[tuple[str, str, str]]:
    for before, reached in moves.items():
        for after in moves:  # in the order of the rows, which a frozenset does not keep
            if after in reached:
                yield before.name, after.name, ""
        if not reached:
            yield before.name, "[*]", ""


def _mermaid(changes: Iterator[tuple[str, str, str]], first: str) -> str:
    """Draw the changes; those between the same two states share one arrow."""
    labels: dict[tuple[str, str], list[str]] = {}
    for before, after, label in changes:
        labels.setdefault((before, after), []).append(label)
    arrows = [
        f"    {before} --> {after}" + (f": {', '.join(words)}" if any(words) else "")
        for (before, after), words in labels.items()
    ]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {first}", *arrows, "```"])


def _command_table() -> str:
    """Tell for every treatment of commands which verbs it has, and in which stages it is obeyed."""
    rows = ["| treatment | verbs | obeyed in |", "|---|---|---|"]
    for treatment in Treatment:
        verbs = [verb for verb, rule in COMMANDS.items() if rule.treatment is treatment]
        if treatment is Treatment.PIN:
            verbs.append("every verb not listed here")
        stages = [stage.name for stage in Stage if treatment in dialogue.ALLOWED[stage]]
        where = "every stage" if len(stages) == len(Stage) else ", ".join(stages)
        if treatment is Treatment.LOCAL:
            early = ", ".join(sorted(dialogue.BEFORE_LOGIN))
            where = f"{Stage.LOGGED_IN.name}; before it only {early}"
        rows.append(f"| {treatment.name} | {', '.join(verbs)} | {where} |")
    return "\n".join(rows)


def _limits_table() -> str:
    rows = ["| setting | default | what for |", "|---|---|---|"]
    for key in keys():
        if key.startswith(LIMITS):
            # `ftpweir explain` tells the shape, the default and the reason, a line each.
            _, default, reason, *_ = (explain(key) or "").split("\n")
            rows.append(f"| `{key}` | {default.removeprefix('Default: ')} | {reason} |")
    return "\n".join(rows)


def _holds_table() -> str:
    """Tell for every known counter how long each end of a connection counts, the guard apart."""
    rows = [
        "| setting | ended by the server | by us | by reset | never answered |",
        "|---|---|---|---|---|",
    ]
    for name, holds in PROFILES.items():
        told = (holds.server_closed, holds.we_closed, holds.reset, holds.unanswered)
        rows.append(f"| `profile: {name}` | " + " | ".join(f"{one:g} s" for one in told) + " |")
    reset = explicit(float("inf")).reset
    rows.append(f"| `time_wait: T` | T | T | {reset:g} s, or T if that is less | T |")
    return "\n".join(rows)


def _effects_table() -> str:
    """Tell from when on each key's new value counts; a section whose keys agree is one row."""
    by_effect: dict[Effect, list[str]] = {effect: [] for effect in Effect}
    for section in dict.fromkeys(key.partition(".")[0] for key in keys()):
        below = [key for key in keys() if key.partition(".")[0] == section]
        if len({effect_of(key) for key in below}) == 1:
            below = [section if below == [section] else f"{section}.*"]
        for key in below:
            by_effect[effect_of(key.removesuffix(".*"))].append(f"`{key}`")
    rows = ["| a new value counts | settings |", "|---|---|"]
    rows += [f"| {effect} | {', '.join(told)} |" for effect, told in by_effect.items()]
    return "\n".join(rows)


def _api_table() -> str:
    rows = ["| answer | keys |", "|---|---|"]
    for place, kind in API.items():
        told = ", ".join(f"`{field.name}`" for field in dataclasses.fields(kind))
        rows.append(f"| {place} | {told} |")
    return "\n".join(rows)


def _metric_table() -> str:
    rows = ["| metric | labels | meaning |", "|---|---|---|"]
    for metric in METRICS.values():
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        kind = "" if metric.type is not Type.HISTOGRAM else " (histogram)"
        rows.append(f"| `{metric.exposed}`{kind} | {labels} | {metric.help} |")
    return "\n".join(rows)


def _findings_table() -> str:
    rows = ["| code | weight | class | cause |", "|---|---|---|---|"]
    for cause in CAUSES.values():
        weight = cause.weight.name.lower()
        rows.append(f"| `{cause.code}` | {weight} | {cause.area.value} | {cause.sentence} |")
    return "\n".join(rows)


if __name__ == "__main__":
    for path in GENERATED:
        path.write_text(written_anew(path.read_text()))
