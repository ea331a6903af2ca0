"""From what was seen to what it means. Pure: rows and evidence in, a Finding out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import ceil, isnan

from hdrh.histogram import HdrHistogram

from ..layout import Member, members
from ..record import PHASES, Kind, Outcome, Record
from ..scenario import Scenario
from ..scripts.load import schedule
from ..sighting import ProxyCost, Sighting
from .findings import (
    BudgetTruth,
    Correctness,
    Fairness,
    Finding,
    GroupServed,
    Latency,
    ProxyFinding,
    SeriesPoint,
    Served,
)

MICRO = 1_000_000
LONGEST = 3600 * MICRO
GOOD = (Outcome.DONE, Outcome.ABORTED)
# The points at which a spectrum is drawn: dense where it is interesting.
POINTS = (0, 10, 25, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97, 98, 99, 99.5, 99.7, 99.9, 99.99, 100)


def finding(scenario: Scenario, sighting: Sighting) -> Finding:
    """Draw the conclusions from one target's run."""
    places = members(scenario.scripts)
    files = [record for record in sighting.records if record.kind == Kind.FILE]
    served = _served(scenario, sighting, files, places)
    return Finding(
        target=sighting.target,
        seconds=sighting.seconds,
        is_partial=sighting.is_partial,
        notes=list(sighting.notes),
        correctness=_correctness(sighting, files),
        budget=_budget(scenario, sighting),
        served=served,
        phases=_phases(sighting.records),
        groups=_groups(files, places),
        fairness=_fairness(files, places),
        proxy=_proxy(sighting.proxy, served.done),
        faults=dict(sighting.evidence.faults) if sighting.evidence else {},
        extrapolated_hours=_extrapolated(scenario, served),
        counted=_counted(sighting),
        pace=_pace(files, sighting),
        shares=_shares(files, places),
    )


def latency(seconds: Iterable[float]) -> Latency | None:
    """Make a distribution; None without any value."""
    histogram = HdrHistogram(1, LONGEST, 3)
    total = 0.0
    for value in seconds:
        histogram.record_value(min(LONGEST, max(1, round(value * MICRO))))
        total += value
    if histogram.total_count == 0:
        return None
    count = int(histogram.total_count)
    wanted = sorted({*POINTS, 50, 90, 95, 99, 99.9})
    # One walk over the histogram for all of them: each walk is tens of thousands of steps.
    at = histogram.get_percentile_to_value_dict(wanted)
    return Latency(
        count=count,
        mean=total / count,
        p50=at[50] / MICRO,
        p90=at[90] / MICRO,
        p95=at[95] / MICRO,
        p99=at[99] / MICRO,
        p999=at[99.9] / MICRO,
        longest=at[100] / MICRO,
        spectrum=[(point / 100, at[point] / MICRO) for point in POINTS],
        encoded=histogram.encode().decode(),
    )


def jain(shares: Sequence[float]) -> float:
    """Return Jain's index: 1 when all are equal, 1/n when one has everything."""
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 0.0


def _served(
    scenario: Scenario, sighting: Sighting, files: list[Record], places: list[Member]
) -> Served:
    scripts = [record for record in sighting.records if record.kind == Kind.SCRIPT]
    skipped = [record for record in scripts if record.outcome == Outcome.SKIPPED]
    lags = [record.lag for record in scripts if not isnan(record.lag)]
    outcomes = Counter(record.outcome.name.lower() for record in files)
    done = sum(record.outcome in GOOD for record in files)
    lost = sum(places[record.script % len(places)].deeds for record in skipped)
    seconds = sighting.seconds or 1.0
    return Served(
        planned=len(files) + lost,
        done=done,
        outcomes=dict(outcomes),
        reasons=dict(sighting.reasons),
        offered=_offered(scenario, len(scripts), seconds),
        achieved=done / seconds,
        bytes_per_second=sum(record.moved for record in files) / seconds,
        lag_mean=sum(lags) / len(lags) if lags else 0.0,
        lag_most=max(lags, default=0.0),
        skipped=len(skipped),
    )


def _offered(scenario: Scenario, started: int, seconds: float) -> float:
    load = scenario.load
    if load.model == "closed":
        return started / seconds
    if load.arrivals == "together":
        return float(started)  # all in the first second
    return len(schedule(load, 0)) / load.duration


def _correctness(sighting: Sighting, files: list[Record]) -> Correctness:
    evidence = sighting.evidence
    server = evidence.sent + evidence.received if evidence and evidence.can_count_bytes else None
    return Correctness(
        corrupt=list(sighting.corrupt),
        strangers=list(sighting.strangers),
        client_bytes=sum(record.moved for record in files),
        server_bytes=server,
    )


def _budget(scenario: Scenario, sighting: Sighting) -> BudgetTruth | None:
    seen = sighting.evidence
    if seen is None:
        return None
    first = ""
    if seen.violations:
        moment, counted, what = seen.violations[0]
        at = moment - sighting.began
        first = f"at {at:.3f} s a {what} connection made it {counted}, {seen.limit} are allowed"
    return BudgetTruth(
        by=seen.by,
        limit=seen.limit,
        most=seen.most,
        sessions_limit=scenario.server.sessions_per_address,
        sessions_most=seen.sessions_most,
        opened=seen.opened,
        violations=len(seen.violations),
        first_violation=first,
        banned=seen.banned,
        refused_sessions=seen.refused_sessions,
    )


def _phases(records: list[Record]) -> dict[str, Latency]:
    phases: dict[str, Latency] = {}
    for name in PHASES:
        kind = {"lag": Kind.SCRIPT, "connect": Kind.SESSION, "login": Kind.SESSION}.get(
            name, Kind.FILE
        )
        values = (
            getattr(record, name)
            for record in records
            if record.kind == kind and (name != "total" or record.outcome == Outcome.DONE)
        )
        if found := latency(value for value in values if not isnan(value)):
            phases[name] = found
    return phases


def _groups(files: list[Record], places: list[Member]) -> dict[str, GroupServed]:
    by_group: dict[str, list[Record]] = defaultdict(list)
    for record in files:
        by_group[places[record.script % len(places)].group.name].append(record)
    return {
        name: GroupServed(
            planned=len(records),
            done=sum(record.outcome in GOOD for record in records),
            total=latency(record.total for record in records if record.outcome == Outcome.DONE),
        )
        for name, records in by_group.items()
    }


def _by_source(files: list[Record], places: list[Member]) -> dict[str, list[Record]]:
    by_source: dict[str, list[Record]] = defaultdict(list)
    for record in files:
        member = places[record.script % len(places)]
        together = member.group.sources == "one"
        by_source[member.group.name if together else member.name].append(record)
    return by_source


def _fairness(files: list[Record], places: list[Member]) -> Fairness | None:
    by_source = _by_source(files, places)
    if len(by_source) < 2:
        return None
    tails = []
    for records in by_source.values():
        totals = sorted(record.total for record in records if record.outcome == Outcome.DONE)
        if totals:
            tails.append(totals[ceil(0.95 * len(totals)) - 1])
    return Fairness(
        jain=jain([_done(records) / len(records) for records in by_source.values()]),
        jain_contended=_contended(list(by_source.values())),
        worst_p95=max(tails, default=0.0),
        best_p95=min(tails, default=0.0),
    )


def _contended(sources: list[list[Record]]) -> float | None:
    """Compare what sources had got when the first of them was content; few files say nothing."""
    if min(map(len, sources)) < 5:
        return None
    content = [
        max(record.ended for record in records)
        for records in sources
        if _done(records) == len(records)
    ]
    if not content:
        return None
    end = min(content)
    return jain([_done(r for r in records if r.ended <= end) for records in sources])


def _done(records: Iterable[Record]) -> int:
    return sum(record.outcome in GOOD for record in records)


def _proxy(cost: ProxyCost | None, done: int) -> ProxyFinding | None:
    if cost is None:
        return None
    waits = latency(cost.waits)
    return ProxyFinding(
        cpu=cost.cpu,
        cpu_per_1000=cost.cpu * 1000 / done if done else 0.0,
        memory_most=cost.memory_most,
        lag_p50=waits.p50 if waits else 0.0,
        lag_p99=waits.p99 if waits else 0.0,
        lag_most=waits.longest if waits else 0.0,
    )


def _extrapolated(scenario: Scenario, served: Served) -> float | None:
    """Say in hours how long the whole would take; nothing can be said after failures."""
    if scenario.extrapolate_to is None or served.done < served.planned or not served.achieved:
        return None
    return scenario.extrapolate_to / served.achieved / 3600 * scenario.time_factor


def _counted(sighting: Sighting) -> list[SeriesPoint]:
    history = sighting.evidence.history if sighting.evidence else []
    points = [(round(moment - sighting.began, 3), float(count)) for moment, count in history]
    return thinned(points, 1500)


def thinned(points: list[SeriesPoint], most: int) -> list[SeriesPoint]:
    """Keep the largest and the last of each stretch: a peak is never lost."""
    if len(points) <= most:
        return points
    step = -(-len(points) * 2 // most)
    kept: list[SeriesPoint] = []
    for at in range(0, len(points), step):
        stretch = points[at : at + step]
        peak = max(stretch, key=lambda point: point[1])
        kept += [peak, stretch[-1]] if peak[0] < stretch[-1][0] else [peak]
    return kept


def _pace(files: list[Record], sighting: Sighting) -> list[SeriesPoint]:
    width = max(0.25, sighting.seconds / 80)
    buckets = Counter(
        int((record.ended - sighting.began) / width) for record in files if record.outcome in GOOD
    )
    last = int(sighting.seconds / width)
    return [(round(at * width, 3), buckets[at] * 60 / width) for at in range(last + 1)]


def _shares(files: list[Record], places: list[Member]) -> list[tuple[str, int, int]]:
    by_source = _by_source(files, places)
    return [(name, _done(records), len(records)) for name, records in by_source.items()]
