"""What a simulation says, in one screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from .instance import GUARD
from .world import HOUR, World

LEGEND: Final = (
    "contended: while files waited. waits: of each file for its slot; in brackets, how many.",
    "cron batches: from the start of a batch of 20 files until its last is done.",
    "beside a hog: waits of others at the proxy of a source that wants thousands of files; in a",
    "mishap: those of them while that proxy is away; elsewhere: at the other proxies meanwhile.",
)


def lines(world: World) -> Iterator[str]:
    """Tell what was simulated and what was seen."""
    plan, told, firewall, store = world.plan, world.told, world.firewall, world.store
    yield f"{plan.proxies} proxies, {plan.sources} sources, {plan.files_a_day} files a day"
    yield f"budget {plan.limit}, hold {plan.hold:g} s, lease {plan.lease:g} s"
    yield f"recovery {plan.recovery:g} s; {world.agenda.now / HOUR:.1f} h, seed {plan.seed}"
    yield ""
    yield f"files           {told.files}, broken off {told.broken}"
    yield f"mishaps         {told.crashes} crashes, {told.cuts} cuts, {told.restarts} restarts"
    yield f"peak            {firewall.most} of {plan.limit} slots; {firewall.above} openings above"
    if told.contended:
        part = told.started_then / told.contended / possible_rate(world)
        used = told.used_then / told.contended / plan.limit
        yield f"contended       {told.contended} s"
        yield f"                {part:.1%} of the rate possible, {used:.1%} of the slots used"
    yield f"waits           {spread(told.waits)}"
    yield f"proxies         {evenness(list(told.by_proxy.values()))}"
    yield f"cron batches    {spread(told.cron_batches)}"
    yield f"beside a hog    {spread(told.beside_hog)}"
    yield f"  in a mishap   {spread(told.beside_hog_in_mishaps)}"
    yield f"  elsewhere     {spread(told.away_from_hog)}"
    calls = store.calls / world.agenda.now
    yield f"store           {calls:.0f} calls/s, {store.busiest} in the busiest second"
    yield ""
    yield from LEGEND


def progress(world: World) -> str:
    """Say in a line how far it is, and whether the budget was kept so far."""
    hours, firewall = world.agenda.now / HOUR, world.firewall
    return (
        f"{hours:.1f} h: {world.told.files} files, peak {firewall.most} of {firewall.limit}, "
        f"{firewall.above} above"
    )


def possible_rate(world: World) -> float:
    """Files per second that the budget allows when it is always full."""
    plan = world.plan
    return plan.limit / (plan.mean_duration + plan.hold + GUARD)


def evenness(waits: Sequence[Sequence[float]]) -> str:
    """Write how much longer one proxy's files wait than another's."""
    if not waits:
        return "none"
    means = sorted(sum(one) / len(one) for one in waits)
    return f"mean wait {means[0]:.1f} s at the luckiest, {means[-1]:.1f} s at the unluckiest"


def spread(seconds: Sequence[float]) -> str:
    """Write the median, the upper end and the worst of some times."""
    if not seconds:
        return "none"
    ranked = sorted(seconds)

    def rank(part: float) -> float:
        return ranked[min(len(ranked) - 1, int(part * len(ranked)))]

    return (
        f"p50 {rank(0.5):.2f} s, p95 {rank(0.95):.2f} s, p99 {rank(0.99):.2f} s, "
        f"most {ranked[-1]:.2f} s ({len(ranked)})"
    )
