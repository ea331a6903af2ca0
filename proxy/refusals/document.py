"""The table as text: `ftpweir explain REASON` and docs/REFUSALS.md. Pure; opens no file."""

from __future__ import annotations

import textwrap

from .reason import Entry, Reason, Scope
from .refusal import Refusal
from .table import REFUSALS

REPLIES = {
    Scope.SESSION: "421, and the connection is closed",
    Scope.TRANSFER: "425 to a transfer (`refusals.transfer_code`), 426 once its 150 was sent; "
    "451 to another command; 421 before the login",
}
ENDS = {Scope.SESSION: "session", Scope.TRANSFER: "command"}

OPENING = """\
# Refusals

<!-- Made from proxy/refusals by `python -m proxy.refusals`; a test compares the two. -->

When ftpweir turns a client away, it says so in one line that is complete in itself: what happened,
to whom, how much is used and allowed, the setting that holds the limit, when to come back where
that is known, and a reference. The same reference stands in ftpweir's log, beside everything that
did not fit the line.

    425 {line}

The code tells a script what it has lost:

- **421**: the session is over and the connection is closed. Connect and log in again.
- **425**: only this transfer was refused, the login stands. Send PASV (or PORT) and the transfer
  command again. `refusals.transfer_code` makes it 450 or 421; a listing never hears 450, because
  some clients take that for an empty directory.
- **426**: the transfer had begun and was cut; the file is incomplete.
- **451**: only this command was refused, the login stands. Send it again.
- **530**: this login is not taken here, or not without TLS. The connection stays, for another one.
- **522**: data needs TLS. The connection stays.

Before the login there is no session to keep, so every other reason is a 421 there. The
same holds for a session that loses a server connection whose state cannot be restored.
`ftpweir explain REASON` prints the same text as this page.
"""


def explain(reason: str) -> str | None:
    """Tell the text behind one reason, in any spelling; None if there is no such reason."""
    word = reason.strip().lower().replace("-", "_")
    if word not in set(Reason):
        return None
    entry = REFUSALS[Reason(word)]
    facts = [("Line", _line(entry)), *_facts(entry)]
    return "\n".join([f"{entry.reason}: {entry.sentence}", *map(_labelled, facts)]) + "\n"


def document() -> str:
    """Render the whole of docs/REFUSALS.md."""
    opening = OPENING.format(line=_line(REFUSALS[Reason.CLASS_RATE]))
    return "\n".join([opening, _overview(), *map(_section, REFUSALS.values())])


def _facts(entry: Entry) -> list[tuple[str, str]]:
    return [
        ("Reply", f"{entry.code}" if entry.code else REPLIES[entry.scope]),
        ("Setting", f"`{entry.setting}`" if entry.setting else "none"),
        ("Cause", entry.cause),
        ("In the script", entry.script),
        ("At the proxy", entry.operator),
    ]


def _line(entry: Entry) -> str:
    """Show the client's line as a plain example, made by the same code as the real one."""
    known = entry.example
    return Refusal(
        entry.reason,
        "7f3a",
        known.used,
        known.limit,
        known.who,
        known.retry,
        known.words,
        known.waited,
    ).sentence()


def _labelled(fact: tuple[str, str]) -> str:
    label, text = fact
    lead = f"  {label + ':':<15}"
    return textwrap.fill(
        text.replace("`", ""),
        width=100,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _overview() -> str:
    rows = [
        f"| [{entry.reason}](#{entry.reason}) | {ENDS[entry.scope]} | {entry.sentence} |"
        for entry in REFUSALS.values()
    ]
    return "\n".join(["| reason | what ends | the line begins |", "|---|---|---|", *rows, ""])


def _section(entry: Entry) -> str:
    facts = "\n".join(f"- **{label}**: {text}" for label, text in _facts(entry))
    return f"## {entry.reason}\n\n    {_line(entry)}\n\n{facts}\n"
