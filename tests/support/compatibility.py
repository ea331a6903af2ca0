"""The tables of what works with what, from results to docs/COMPATIBILITY.md. Runs no test.

The document has two parts, each written by the test that fills it; neither touches the other's.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from .backend import Backend
from .client import Client
from .programs import CHECKOUT
from .tls_clients import TLS_CLIENTS

DOCUMENT = CHECKOUT / "docs" / "COMPATIBILITY.md"
IN_CLEAR = """\
# Compatibility

What real clients do through ftpweir with real servers: each cell is one client in one mode, before
one server, with ftpweir opening the server's data connections in one mode (`upstream.data`).
"yes" means that it listed, got and put, in the very mode that is claimed, and that every byte
arrived (SHA-256); else the cell names what failed. wget cannot put, so it only listed and got;
aioftp has no active mode. Written by `tests/integration/test_matrix.py`, a part of `make test`: do
not edit.
"""
IN_TLS = """\
## In TLS

Both sides in TLS, unless a client is in clear, before servers that demand it; vsftpd and proftpd
demand that their sessions are resumed. Each cell is one client that fetched and stored files in one
session, with others at once on two sessions with the server; "yes" means that every byte arrived.
curl 7.87 and 7.88 shake no hands in active mode, with any server, so they are not asked to. Written
by `tests/integration/test_ftps_matrix.py`: do not edit. [FTPS.md](FTPS.md) has long runs.
"""

What = TypeVar("What", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Pairing:
    """One cell of the table in clear."""

    client: Client
    server: type[Backend]
    upstream: str  # how ftpweir opens data connections to the server: passive or active

    def __str__(self) -> str:
        client = f"{self.client.name()}-{self.client.mode}"
        return f"{client}-{self.server.kind}-{self.upstream}"


@dataclass(frozen=True, slots=True)
class TlsPairing:
    """One cell of the table in TLS."""

    client: str  # a name of TLS_CLIENTS
    server: type[Backend]
    version: str
    upstream: str


@dataclass(slots=True)
class Results(Generic[What]):
    """What has been tried: a test announces its next step, and says when it has done the last."""

    _steps: dict[What, str] = field(default_factory=dict)
    _done: set[What] = field(default_factory=set)

    def trying(self, what: What, step: str) -> None:
        """Remember the step: if the test ends here, this is what failed."""
        self._steps[what] = step

    def done(self, what: What) -> None:
        """Remember that all steps have passed."""
        self._done.add(what)

    def cover(self, all_there_is: Iterable[What]) -> bool:
        """Tell whether each of them has been tried."""
        return self._steps.keys() >= set(all_there_is)

    def verdict(self, what: What) -> str:
        """Return the text of a cell."""
        return "yes" if what in self._done else f"**no: {self._steps[what]}**"


def write_in_clear(results: Results[Pairing], pairings: Sequence[Pairing]) -> None:
    """Write the first part."""
    clients = dict.fromkeys(pairing.client for pairing in pairings)
    columns = dict.fromkeys((pairing.server, pairing.upstream) for pairing in pairings)
    named = _named(server for server, _ in columns)
    rows = [["client", "mode", *(f"{named[server]}, {upstream}" for server, upstream in columns)]]
    for client in clients:
        cells = [results.verdict(Pairing(client, *column)) for column in columns]
        rows.append([f"{client.name()} {client.version()}", client.mode, *cells])
    _write(IN_CLEAR, rows)


def write_in_tls(results: Results[TlsPairing], pairings: Sequence[TlsPairing]) -> None:
    """Write the second part."""
    columns = dict.fromkeys((one.server, one.version, one.upstream) for one in pairings)
    named = _named(server for server, _, _ in columns)
    rows = [
        ["client", "mode"]
        + [f"{named[server]}, {version}, {upstream}" for server, version, upstream in columns]
    ]
    for name, client in TLS_CLIENTS.items():
        cells = [results.verdict(TlsPairing(name, *column)) for column in columns]
        version = client.kind.version() + client.manner
        rows.append([f"{client.kind.name()} {version}", client.mode, *cells])
    _write(IN_TLS, rows)


def _named(servers: Iterable[type[Backend]]) -> dict[type[Backend], str]:
    return {server: f"{server.kind} {server.version()}" for server in dict.fromkeys(servers)}


def _write(introduction: str, rows: list[list[str]]) -> None:
    """Put a table behind its introduction, in place of what stood there."""
    rows.insert(1, ["---"] * len(rows[0]))
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    parts = _parts(DOCUMENT)
    parts[_heading(introduction)] = f"{introduction}\n{table}"
    order = (_heading(IN_CLEAR), _heading(IN_TLS))
    text = "\n".join(parts[heading] for heading in order if heading in parts)
    if not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != text:
        DOCUMENT.write_text(text, encoding="utf-8")


def _parts(document: Path) -> dict[str, str]:
    """Cut the document at its second heading; parts by their headings."""
    if not document.exists():
        return {}
    first, mark, second = document.read_text(encoding="utf-8").partition("\n## ")
    found = [first, mark[1:] + second] if mark else [first]
    return {_heading(part): part for part in found}


def _heading(part: str) -> str:
    return part.partition("\n")[0]
