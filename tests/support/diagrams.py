"""The state tables of docs/ARCHITECTURE.md, made from the code: how far a login is, what a seat does.

Run as a program it writes them into the document; tests/unit/test_diagrams.py compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from proxy.ftp import dialogue
from proxy.ftp.command import COMMANDS, Kind, parse_command
from proxy.ftp.dialogue import Dialogue, Stage
from proxy.ftp.facts import ServerFacts
from proxy.ftp.reply import Refused
from proxy.upstream import seat

DOCUMENT = Path(__file__).parents[2] / "docs" / "ARCHITECTURE.md"

# Commands that may change the stage, and what the server may have said to those that ask it.
_STEPS = (b"USER u", b"PASS p", b"ACCT a", b"REIN")
_OUTCOMES: dict[str, Callable[[Dialogue], None]] = {
    "taken": lambda dialogue: dialogue.logged_in(b"/", ServerFacts()),
    "332": lambda dialogue: dialogue.account_wanted(),
    "refused": lambda dialogue: dialogue.login_failed(),
}
_ASKED = frozenset({"PASS", "ACCT"})


def diagrams() -> dict[str, str]:
    """Return every generated part by the name that its marks in the document carry."""
    return {
        "stages": _mermaid(_stage_changes(), first=Stage.GREETED.name),
        "stage-table": _stage_table(),
        "seat": _mermaid(_seat_changes(), first=seat.Use.OPENING.name),
    }


def generated_parts(document: str) -> dict[str, str]:
    """Return the parts that stand in the document now."""
    return {found["name"]: found["body"].strip() for found in _PART.finditer(document)}


def with_parts(document: str, parts: dict[str, str]) -> str:
    """Return the document with its generated parts replaced."""

    def fresh(found: re.Match[str]) -> str:
        return f"{found['start']}\n{parts[found['name']]}\n{found['end']}"

    return _PART.sub(fresh, document)


_PART = re.compile(
    r"(?P<start><!-- generated: (?P<name>[a-z-]+) -->)\n(?P<body>.*?)(?P<end><!-- /generated -->)",
    re.DOTALL,
)


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
    """Tell the stage after this step; None when it is refused there."""
    one = Dialogue("127.0.0.1", is_ipv6=False, site_harmless=frozenset())
    one.stage = stage
    try:
        one.decide(parse_command(line))
    except Refused:
        return None
    tell(one)
    return one.stage


def _seat_changes() -> Iterator[tuple[str, str, str]]:
    for use, followers in seat.ALLOWED.items():
        for follower in seat.Use:
            if follower in followers:
                yield use.name, follower.name, ""
        if not followers:
            yield use.name, "[*]", ""


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


def _stage_table() -> str:
    """Tell for every kind of command which verbs it has, and in which stages it is obeyed."""
    rows = ["| kind | verbs | obeyed in |", "|---|---|---|"]
    for kind in Kind:
        verbs = [verb for verb, rule in COMMANDS.items() if rule.kind is kind]
        if kind is Kind.PIN:
            verbs.append("and every verb not listed here")
        stages = [stage.name for stage in Stage if kind in dialogue.ALLOWED[stage]]
        where = "every stage" if len(stages) == len(Stage) else ", ".join(stages)
        if kind is Kind.LOCAL:
            early = ", ".join(sorted(dialogue.BEFORE_LOGIN))
            where = f"{Stage.LOGGED_IN.name}; before it only {early}"
        rows.append(f"| {kind.name} | {', '.join(verbs)} | {where} |")
    return "\n".join(rows)


if __name__ == "__main__":
    DOCUMENT.write_text(with_parts(DOCUMENT.read_text(), diagrams()))
