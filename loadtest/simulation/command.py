"""`python -m loadtest simulate`: many proxies, one budget, simulated hours."""

from __future__ import annotations

import contextlib
from typing import Final

import click

from .report import lines, progress
from .world import Plan, World

DEFAULT: Final = Plan()


@click.command()
@click.option("--hours", default=1.0, show_default=True, help="Simulated time.")
@click.option("--proxies", default=DEFAULT.proxies, show_default=True)
@click.option("--sources", default=DEFAULT.sources, show_default=True)
@click.option("--files-a-day", default=DEFAULT.files_a_day, show_default=True)
@click.option("--limit", default=DEFAULT.limit, show_default=True, help="The budget's slots.")
@click.option("--hold", default=DEFAULT.hold, show_default=True, help="Seconds of TIME_WAIT.")
@click.option("--recovery", default=DEFAULT.recovery, show_default=True, help="sharing.recovery.")
@click.option("--mishaps/--no-mishaps", default=True, help="Crashes, cuts, restarts of the store.")
@click.option("--seed", default=1, show_default=True)
def simulate(
    hours: float,
    proxies: int,
    sources: int,
    files_a_day: int,
    limit: int,
    hold: float,
    recovery: float,
    mishaps: bool,
    seed: int,
) -> None:
    """Simulate many proxies that share one budget; an hour of 100 proxies takes some 20 s.

    Every simulated hour a line on standard error tells how it goes. Ctrl-C ends it, with the report
    of what was seen until then.
    """
    plan = Plan(
        hours=hours,
        proxies=proxies,
        sources=sources,
        files_a_day=files_a_day,
        limit=limit,
        hold=hold,
        recovery=recovery,
        mishaps=mishaps,
        seed=seed,
    )
    world = World(plan, lambda world: click.echo(progress(world), err=True))
    with contextlib.suppress(KeyboardInterrupt):
        world.run()
    for line in lines(world):
        click.echo(line)
