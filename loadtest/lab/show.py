"""The show behind `ftpweir demo`: the same scripts straight at a limited server, then through."""

from __future__ import annotations

import hashlib
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .crowd import Deed, Outcome, Wishes, send
from .namespaces import LabUnavailable, lab
from .server import PASSWORD, USER
from .stage import FILE, Build, Counted, Stage, emulated, ftpweir, real

LIMIT = 60  # connections of one address, TIME_WAIT included, that the firewall tolerates
SESSIONS = 3  # that the server allows one address
STRAIGHT, THROUGH = "straight at the server", "through ftpweir"
# A script at the mercy of a firewall learns nothing by waiting; behind ftpweir it waits its turn.
PATIENCE = {STRAIGHT: 5.0, THROUGH: 60.0}


@dataclass(frozen=True, slots=True)
class Scene:
    """One half of the show, over."""

    name: str
    scripts: int
    outcome: Outcome
    firewall: Counted

    @property
    def is_perfect(self) -> bool:
        """Tell whether every script got every file and the firewall had nothing to say."""
        return (
            self.outcome.is_perfect
            and self.outcome.deeds[Deed.DONE] == self.scripts
            and not self.firewall.banned
            and self.firewall.most <= LIMIT
        )


def run(console: Console, *, scripts: int, files: int, with_lab: bool | None) -> bool:
    """Play both halves; True means that the one through ftpweir was perfect.

    `with_lab` None takes the real firewall where there can be one.
    """
    build = _choose(console, with_lab)
    console.print(
        f"{scripts} scripts fetch {files} files each. The server allows {SESSIONS} sessions per "
        f"address;\nthe firewall before it tolerates {LIMIT} connections, closed ones included "
        "for 60 s.\n"
    )
    with Progress(
        TextColumn("{task.description:<22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[told]}"),
        console=console,
    ) as progress:
        scenes = [_play(name, build, progress, scripts, files) for name in (STRAIGHT, THROUGH)]
    console.print()
    console.print(_closing_table(scenes))
    for scene in scenes:
        _print_words(console, scene)
    return scenes[-1].is_perfect


def _choose(console: Console, with_lab: bool | None) -> Build:
    if with_lab is False:
        return emulated
    try:
        with lab():
            return real
    except (LabUnavailable, subprocess.CalledProcessError, OSError) as problem:
        if with_lab:
            raise LabUnavailable(f"no real firewall can be had here: {problem}") from None
        console.print(f"[dim]The firewall is emulated ({problem}).[/dim]")
        return emulated


def _play(name: str, build: Build, progress: Progress, scripts: int, files: int) -> Scene:
    with ExitStack() as stack:
        # Each half has a server and a firewall of its own: the second starts with a clean slate.
        stage = stack.enter_context(build(LIMIT, SESSIONS))
        place = stage.host, stage.port
        if name == THROUGH:
            place = stack.enter_context(ftpweir(stage, LIMIT, SESSIONS))
        task = progress.add_task(name, total=scripts * files, told="")

        def watch(outcome: Outcome) -> None:
            told = _status(outcome, stage.counted())
            progress.update(task, completed=outcome.deeds[Deed.FILE], told=told)

        outcome = send(_wishes(stage, place, scripts, files, PATIENCE[name]), stage.inside, watch)
        progress.stop_task(task)
        return Scene(name, scripts, outcome, stage.counted())


def _wishes(
    stage: Stage, place: tuple[str, int], scripts: int, files: int, patience: float
) -> Wishes:
    digest = hashlib.sha256(stage.content).hexdigest()
    return Wishes(*place, USER, PASSWORD, scripts, files, FILE, digest, patience=patience)


def _status(outcome: Outcome, firewall: Counted) -> str:
    told = f"counted {firewall.most}"
    if refused := outcome.deeds[Deed.REFUSED]:
        told += f", {refused} refused"
    return told + (", [red]BANNED[/red]" if firewall.banned else "")


def _closing_table(scenes: list[Scene]) -> Table:
    table = Table(title="Before and after", title_justify="left")
    table.add_column("")
    for scene in scenes:
        table.add_column(scene.name, justify="right")
    rows = {
        "scripts that got all their files": [
            _of(one.outcome.deeds[Deed.DONE], one) for one in scenes
        ],
        "files": [str(one.outcome.deeds[Deed.FILE]) for one in scenes],
        "logins refused (421)": [str(one.outcome.deeds[Deed.REFUSED]) for one in scenes],
        "scripts that met only silence": [
            str(one.outcome.given_up[Deed.SILENCE]) for one in scenes
        ],
        "banned by the firewall": ["yes" if one.firewall.banned else "no" for one in scenes],
        f"most connections it counted (limit {LIMIT})": [str(one.firewall.most) for one in scenes],
        "duration": [f"{one.outcome.seconds:.1f} s" for one in scenes],
    }
    for label, cells in rows.items():
        table.add_row(label, *cells)
    return table


def _of(number: int, scene: Scene) -> str:
    return f"{number} of {scene.scripts}"


def _print_words(console: Console, scene: Scene) -> None:
    """Show what the scripts were told, most often first."""
    for words, times in scene.outcome.words.most_common(3):
        console.print(f"  {scene.name}, {times} times: {words}", style="dim", markup=False)
