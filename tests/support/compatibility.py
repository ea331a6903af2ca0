"""The table of what works with what, from results to docs/COMPATIBILITY.md. Runs no test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .backend import Backend
from .client import Client

INTRODUCTION = """\
# Compatibility

What real clients do through ftpweir with real servers: each cell is one client in one mode, before
one server, with ftpweir opening the server's data connections in one mode (`upstream.data`).
"yes" means that it listed, got and put, in the very mode that is claimed, and that every byte
arrived (SHA-256); else the cell names what failed. wget cannot put, so it only listed and got;
aioftp has no active mode. Written by `tests/integration/test_matrix.py`, a part of `make test`: do
not edit.
"""


@dataclass(frozen=True, slots=True)
class Pairing:
    """One cell of the table."""

    client: Client
    server: type[Backend]
    upstream: str  # how ftpweir opens data connections to the server: passive or active

    def __str__(self) -> str:
        client = f"{self.client.name()}-{self.client.mode}"
        return f"{client}-{self.server.kind}-{self.upstream}"


@dataclass(slots=True)
class Results:
    """What has been tried: a test announces its next step, and says when it has done the last."""

    _steps: dict[Pairing, str] = field(default_factory=dict)
    _done: set[Pairing] = field(default_factory=set)

    def trying(self, pairing: Pairing, step: str) -> None:
        """Remember the step: if the test ends here, this is what failed."""
        self._steps[pairing] = step

    def done(self, pairing: Pairing) -> None:
        """Remember that all steps of the pairing have passed."""
        self._done.add(pairing)

    def cover(self, pairings: Iterable[Pairing]) -> bool:
        """Tell whether each of them has been tried."""
        return self._steps.keys() >= set(pairings)

    def verdict(self, pairing: Pairing) -> str:
        """Return the text of a cell."""
        return "yes" if pairing in self._done else f"**no: {self._steps[pairing]}**"


def document(results: Results, pairings: Sequence[Pairing]) -> str:
    """Return the whole document; it changes only with a result or a program's version."""
    clients = list(dict.fromkeys(pairing.client for pairing in pairings))
    columns = list(dict.fromkeys((pairing.server, pairing.upstream) for pairing in pairings))
    servers = list(dict.fromkeys(server for server, _ in columns))
    named = {server: f"{server.kind} {server.version()}" for server in servers}
    rows = [
        ["client", "mode", *(f"{named[server]}, {upstream}" for server, upstream in columns)],
        ["---"] * (2 + len(columns)),
    ]
    for client in clients:
        cells = [results.verdict(Pairing(client, *column)) for column in columns]
        rows.append([f"{client.name()} {client.version()}", client.mode, *cells])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{INTRODUCTION}\n{table}\n"


def write_if_changed(path: Path, text: str) -> None:
    """Write the file only when its content would change."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
