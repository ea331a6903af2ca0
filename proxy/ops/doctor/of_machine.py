"""What follows from this side of the way: ftpweir itself, its state file, the machine. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from proxy.refusals import REFUSALS, Reason

from .causes import CAUSES
from .finding import Finding
from .seen import Door, Greeter, Ledger, Machine, Met, Running, Seen

FEW_DESCRIPTORS = 1024
ALMOST = 2  # descriptors: with fewer left nothing can be opened
SCARCE = 0.05  # share of the ephemeral ports
BUILT_AFTER = datetime(2025, 1, 1, tzinfo=UTC)  # no right clock shows an earlier time
AHEAD = timedelta(minutes=1)

_OUT = REFUSALS[Reason.DESCRIPTORS].sentence


def of_machine(seen: Seen) -> Iterator[Finding]:
    """Conclude from everything but the server."""
    for door in seen.doors:
        yield from _of_door(door, seen)
    for ledger in seen.ledgers:
        yield from _of_ledger(ledger)
    if seen.running is not None:
        yield from _of_running(seen.running)
    if seen.no_room:
        yield Finding(CAUSES["budget_full"], _budget(seen))
    if seen.machine is not None:
        yield from _of_machine(seen.machine, seen)


def _of_door(door: Door, seen: Seen) -> Iterator[Finding]:
    if door.attempt.met is not Met.ANSWER:
        yield from _of_closed_door(door, seen)
        return
    words = f"{door.place} says: {door.greeting}"
    if _is_out_of_descriptors(door):
        used, limit = door.descriptors_open, door.descriptors_limit
        count = f"process {door.pid}: {used} of {limit} open; " if used is not None else ""
        yield Finding(CAUSES["descriptors"], count + words)
        return
    if door.greeting is None:
        return
    if door.is_ours:
        if not door.greeting.is_welcome:
            yield Finding(CAUSES["proxy_refuses"], words)
    elif door.greeting.greeter is Greeter.FTP or door.greeting.greeter is Greeter.OTHER:
        yield Finding(CAUSES["listen_taken"], words)
    else:
        owner = f", process {door.pid}" if door.pid else ""
        yield Finding(CAUSES["proxy_silent"], f"{words}{owner}")
    limit = door.descriptors_limit
    if door.is_ours and limit is not None and limit < FEW_DESCRIPTORS:
        yield Finding(CAUSES["descriptors_low"], f"process {door.pid} may open {limit}")


def _is_out_of_descriptors(door: Door) -> bool:
    if door.greeting is not None and _OUT in door.greeting.words:
        return True
    used, limit = door.descriptors_open, door.descriptors_limit
    return used is not None and limit is not None and limit - used <= ALMOST


def _of_closed_door(door: Door, seen: Seen) -> Iterator[Finding]:
    evidence = f"{door.place}: {door.bind_error or door.attempt.met.value}"
    if door.attempt.met is Met.NO_DESCRIPTOR:
        yield Finding(CAUSES["descriptors"], evidence)
    elif door.attempt.met is Met.SILENCE and door.bind_is_taken:
        yield Finding(CAUSES["proxy_silent"], evidence)
    elif door.bind_is_taken:
        yield Finding(CAUSES["listen_taken"], evidence)
    elif door.bind_is_denied:
        yield Finding(CAUSES["listen_privileged"], evidence)
    elif door.bind_error:
        yield Finding(CAUSES["listen_denied"], evidence)
    else:
        yield _of_absence(door, seen)


def _of_absence(door: Door, seen: Seen) -> Finding:
    """Tell whether it has run from whether it is still to run: by what it left behind."""
    evidence = f"{door.place} is free"
    left = seen.machine.state_written if seen.machine is not None else None
    runs = any(ledger.is_held for ledger in seen.ledgers) or any(one.is_ours for one in seen.doors)
    if left is None or runs:
        return Finding(CAUSES["proxy_absent"], evidence)
    evidence += f"; its state file was last written at {left:%Y-%m-%d %H:%M} UTC"
    return Finding(CAUSES["proxy_gone"], evidence)


def _of_ledger(ledger: Ledger) -> Iterator[Finding]:
    if ledger.problem:
        code = "state_denied" if ledger.is_denied else "state_unusable"
        yield Finding(CAUSES[code], f"{ledger.path}: {ledger.problem}")
    elif not ledger.is_believed:
        yield Finding(CAUSES["state_unbelievable"], ledger.path)


def _of_running(running: Running) -> Iterator[Finding]:
    if running.banned_for > 0:
        evidence = f"it tries nothing for {running.banned_for:.0f} s more, and the doctor no data"
        yield Finding(CAUSES["ban_suspected"], evidence)
    if running.store_new_for > 0:
        evidence = f"nothing is dealt out for {running.store_new_for:.0f} s more"
        yield Finding(CAUSES["store_new"], evidence)
    if running.undercut:
        yield Finding(CAUSES["limits_differ"], "; ".join(running.undercut))
    if running.trouble:
        yield Finding(CAUSES["server_trouble"], running.trouble)
    if running.refusals:
        told = (f"{one.reason} {one.times} times" for one in running.refusals)
        evidence = f"{', '.join(told)}; the last of them: {running.refusals[0].latest}"
        yield Finding(CAUSES["refused_lately"], evidence)


def _of_machine(machine: Machine, seen: Seen) -> Iterator[Finding]:
    for address in machine.foreign_sources:
        yield Finding(CAUSES["source_foreign"], f"{address} cannot be bound here")
    known = any(door.descriptors_limit is not None for door in seen.doors)
    if not known and machine.descriptors < FEW_DESCRIPTORS:
        evidence = f"a process of this user may open {machine.descriptors}"
        yield Finding(CAUSES["descriptors_low"], evidence)
    if machine.ports - machine.ports_used < SCARCE * machine.ports:
        evidence = f"{machine.ports_used:,} of {machine.ports:,} are in use, TIME_WAIT included"
        yield Finding(CAUSES["ports_scarce"], evidence)
    written = machine.state_written
    if machine.clock < BUILT_AFTER:
        yield Finding(CAUSES["clock"], f"it shows {machine.clock:%Y-%m-%d %H:%M} UTC")
    elif written is not None and written > machine.clock + AHEAD:
        evidence = (
            f"it shows {machine.clock:%Y-%m-%d %H:%M} UTC, and the state file was written at "
            f"{written:%Y-%m-%d %H:%M}"
        )
        yield Finding(CAUSES["clock"], evidence)


def _budget(seen: Seen) -> str:
    ours = f"the doctor made {seen.connections} connections"
    if seen.running is not None:
        used, limit, free_in = seen.running.used, seen.running.limit, seen.running.next_slot
    elif seen.ledgers:
        first = seen.ledgers[0]
        used, limit, free_in = first.used, first.limit, first.next_free
    else:
        return f"{ours}, and needs more than the budget has"
    due = f"; the next is free in {free_in:.0f} s" if free_in is not None else ""
    return f"{used} of {limit} slots are used, {ours}{due}"
