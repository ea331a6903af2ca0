"""The command: rounds, progress, tables, JSON, the document.

Each round measures every peer once and begins with another one, so that whatever else the machine
does meets all of them. Exit codes: 0 measured, 1 a wrong byte or a failed transfer, 2 bad usage.
What fails behind somebody else's proxy is told, and is no failure of ours.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from loadtest.children import ChildFailed
from loadtest.lab.namespaces import missing
from loadtest.servers.real import program
from proxy import __version__

from . import paper, results
from .ground import RAM, lay_out
from .measurement import Broken, measure
from .peers import DIRECT, EVERYBODY, FTPWEIR, PEERS, Peer
from .results import Failure, Run, Sample
from .works import WORKS, Work

OTHERS = {peer.name for peer in PEERS} - {DIRECT.name, FTPWEIR.name}
FILE = click.Path(dir_okay=False, path_type=Path)
ONLY = "A work or a peer, as small-8-down or HAProxy; may be repeated. A wrong one lists all names."


@click.command("bench")
@click.option("--only", multiple=True, metavar="NAME", help=ONLY)
@click.option("--rounds", type=click.IntRange(1), help="Of each work, instead of its own number.")
@click.option("--quick", is_flag=True, help="Once and short: see that it works, not how fast.")
@click.option("--json", "json_file", type=FILE, help="Write the figures for machines.")
@click.option("--document", type=FILE, help="Write the tables between the marks of a document.")
@click.option("--from", "earlier", type=FILE, help="Show the figures of a file; measure nothing.")
def bench(
    only: tuple[str, ...],
    rounds: int | None,
    quick: bool,
    json_file: Path | None,
    document: Path | None,
    earlier: Path | None,
) -> None:
    """Measure ftpweir beside HAProxy, nginx and mod_proxy, before vsftpd. As root."""
    console = Console() if sys.stdout.isatty() else Console(width=150)
    run = results.read(earlier) if earlier else _run(_chosen(only, rounds, quick))
    if json_file is not None:
        results.write(run, json_file)
    paper.show(run, console)
    if quick:
        console.print("--quick: the figures, and what is met or missed, mean nothing.")
    if document is not None:
        paper.put_into(document, run)
    sys.exit(1 if any(it.peer not in OTHERS for it in run.failures) else 0)


def _chosen(only: tuple[str, ...], rounds: int | None, quick: bool) -> list[tuple[Work, Peer, int]]:
    """List the measurements: every work's rounds, every round's peers."""
    names = set(only)
    known = {work.name for work in WORKS} | {peer.name for peer in EVERYBODY}
    if unknown := names - known:
        known_names = ", ".join(sorted(known))
        raise click.BadParameter(f"{', '.join(sorted(unknown))} is none of {known_names}")
    works = [work for work in WORKS if work.name in names] or list(WORKS)
    if quick:
        works = [work.in_a_hurry() for work in works]
    chosen: list[tuple[Work, Peer, int]] = []
    for work in works:
        peers = [peer for peer in work.peers if peer.name in names] or list(work.peers)
        if not any(peer.name in names for peer in EVERYBODY):
            peers = list(work.peers)
        for number in range(rounds or work.rounds):
            first = number % len(peers)
            chosen += [(work, peer, number) for peer in peers[first:] + peers[:first]]
    return chosen


def _run(chosen: list[tuple[Work, Peer, int]]) -> Run:
    if lacking := missing():
        raise click.ClickException(lacking)
    samples: list[Sample] = []
    failures: list[Failure] = []
    progress = Progress(
        TextColumn("{task.description:<44}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[told]}"),
        console=Console(stderr=True),
    )
    try:
        environment = _environment(chosen)
        with progress, tempfile.TemporaryDirectory(prefix="ftpweir-bench-", dir=RAM) as folder:
            task = progress.add_task("", total=len(chosen), told="")
            lay_out(Path(folder))
            for work, peer, number in chosen:
                progress.update(task, description=f"{work.title}: {peer.name}")
                try:
                    sample, wrong = measure(Path(folder), work, peer, number)
                except (Broken, OSError, subprocess.CalledProcessError) as problem:
                    where = f"{work.name} behind {peer.name}, round {number}"
                    failures.append(Failure(peer.name, f"{where}: {problem}"))
                    continue
                except KeyboardInterrupt:
                    failures.append(Failure("", "interrupted"))
                    break
                samples.append(sample)
                failures += wrong
                told = f"{sample.figure:,.2f} {sample.unit}"
                progress.update(task, advance=1, told=f"{peer.name} {told}")
    except ChildFailed as problem:
        raise click.ClickException(str(problem)) from problem
    return Run(environment, samples, failures)


def _environment(chosen: list[tuple[Work, Peer, int]]) -> dict[str, str]:
    # Straight at the server or not, it is the same server.
    peers = {peer.name: peer for peer in (DIRECT, *(peer for _, peer, _ in chosen))}.values()
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} CPUs, {platform.system()} {platform.release()}",
        "ftpweir": f"{__version__}, Python {platform.python_version()}, uvloop {version('uvloop')}",
        **dict(_versions(peers)),
    }


def _versions(peers: Iterable[Peer]) -> Iterator[tuple[str, str]]:
    for peer in peers:
        if peer.version:
            name, *arguments = peer.version
            # vsftpd tells it to its standard input of all places.
            command = ["sh", "-c", '"$0" "$@" 0>&1 2>&1', program(name), *arguments]
            told = subprocess.run(command, capture_output=True, text=True)
            found = re.search(r"\d+(\.\d+)+", told.stdout)
            yield name, found[0] if found else "unknown"
