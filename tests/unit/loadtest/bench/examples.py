"""Samples as a run might have them."""

from __future__ import annotations

from loadtest.bench.results import Run, Sample, Toll
from loadtest.bench.works import Unit


def small(peer: str, number: int, files: int, *, work: str = "small-8-down") -> Sample:
    """So many files in two seconds, for half a second of the proxy's processor time."""
    return Sample(
        work=work,
        unit=Unit.FILES.value,
        peer=peer,
        round=number,
        scripts=8,
        seconds=2.0,
        files=files,
        moved=files * 1024,
        toll=Toll(proxy=0.5, server=1.0, scripts=0.5),
        shares=[1.0, 2.0, 3.0],
    )


def a_run(*samples: Sample) -> Run:
    """A run of these."""
    return Run({"date": "2026-01-02", "machine": "2 CPUs"}, list(samples), [])
