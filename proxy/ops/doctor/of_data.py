"""What follows from data connections, the written file and the sessions counted. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from proxy.config import Config
from proxy.ftp.address import canonical
from proxy.shaping.holds import PROFILES

from .causes import CAUSES
from .finding import Finding
from .seen import Data, Met, Seen, Sessions, Write

_NO_STORAGE = frozenset({452, 552})  # RFC 959 section 4.2.2
_BROKEN = frozenset({425, 426, 451})
_FULL = re.compile(r"no space|disk|quota|storage|full|failure writing", re.IGNORECASE)
_TRIED = frozenset({Met.ANSWER, Met.REFUSAL, Met.SILENCE, Met.NO_WAY})


def of_data(config: Config, seen: Seen) -> Iterator[Finding]:
    """Conclude from everything after the login."""
    passive = [one for one in seen.data if one.is_passive]
    active = [one for one in seen.data if not one.is_passive]
    may_be_active = config.upstream.data == "auto" and any(one.is_connected for one in active)
    wants_active = config.upstream.data == "active" or may_be_active
    if passive:
        yield from _of_passive(passive, seen, wants_active=wants_active)
    for one in active:
        yield from _of_active(one, wants_active=wants_active)
    yield from _of_listings(config, seen)
    if seen.write is not None:
        yield from _of_write(seen.write)
    if seen.sessions is not None:
        yield from _of_sessions(config.upstream.sessions, seen.sessions)


def _of_passive(passive: list[Data], seen: Seen, *, wants_active: bool) -> Iterator[Finding]:
    foreign = _foreign(passive, seen)
    if foreign is not None and foreign.is_connected:
        yield Finding(CAUSES["foreign_address"], _told(foreign, seen))
    if any(one.is_connected for one in passive):
        return
    if wants_active:
        yield Finding(CAUSES["passive_unused"], _attempts(passive))
    elif foreign is not None and foreign.attempt is not None and foreign.attempt.met in _TRIED:
        yield Finding(CAUSES["foreign_address_dead"], _told(foreign, seen))
    elif any(one.attempt is not None and one.attempt.met in _TRIED for one in passive):
        yield Finding(CAUSES["passive_blocked"], _attempts(passive))
    elif not any(one.is_agreed for one in passive):
        yield Finding(CAUSES["passive_refused"], _attempts(passive))


def _foreign(passive: list[Data], seen: Seen) -> Data | None:
    """Return the 227 that tells another host than the one we reached."""
    own = canonical(seen.attempts[-1].host) if seen.attempts else ""
    return next((one for one in passive if one.told and one.told != own), None)


def _told(data: Data, seen: Seen) -> str:
    own = seen.attempts[-1].host
    return f"the control connection leads to {own}, PASV tells {data.told}; {data.attempt}"


def _attempts(listings: list[Data]) -> str:
    return "; ".join(f"{one.verb}: {one.attempt or one.reply}" for one in listings)


def _of_active(one: Data, *, wants_active: bool) -> Iterator[Finding]:
    if one.is_connected or (one.attempt is not None and one.attempt.met is Met.NO_ROOM):
        return
    refusal = f"{one.code} {one.words}" if one.code else one.reply
    evidence = f"{one.verb}: {one.attempt or refusal}" + (f"; {refusal}" if one.attempt else "")
    yield Finding(CAUSES["active_blocked" if wants_active else "active_unused"], evidence)


def _of_listings(config: Config, seen: Seen) -> Iterator[Finding]:
    connected = [one for one in seen.data if one.is_connected]
    resets = [one for one in connected if one.close == "reset"]
    others = [one for one in connected if one.close == "fin"]
    others_work = any(_is_success(one) for one in others)
    for one in others if others_work else connected:
        yield from _of_listing(one)
    for one in resets if others_work else ():
        yield from _of_reset(config, one)


def _of_listing(one: Data) -> Iterator[Finding]:
    words = f"{one.verb}, LIST: {one.code} {one.words}"
    if one.tls_failure or one.code == 522:
        yield Finding(CAUSES["data_tls"], f"{words} {one.tls_failure}".rstrip())
    elif one.code in _BROKEN:
        yield Finding(CAUSES["data_broken"], words)
    elif one.code >= 400:
        yield Finding(CAUSES["listing_refused"], words)


def _of_reset(config: Config, one: Data) -> Iterator[Finding]:
    """Only after a listing that ended by FIN has worked."""
    words = f"LIST ended by reset after its last byte: {one.code} {one.words}"
    if one.tls_failure or one.code == 522 or not one.server_closed_first:
        return  # no reset was sent
    if not _is_success(one):
        wanted = config.budget.close == "reset"
        yield Finding(CAUSES["reset_unsafe" if wanted else "reset_impossible"], words)
    elif config.budget.close == "fin" and config.budget.time_wait > PROFILES["conntrack"].reset:
        yield Finding(CAUSES["reset_possible"], words)


def _is_success(one: Data) -> bool:
    return 200 <= one.code < 300


def _of_write(write: Write) -> Iterator[Finding]:
    if 200 <= write.code < 300:
        return
    evidence = f"STOR {write.path}: {write.code} {write.words}" + (
        f" ({write.broke})" if write.broke else ""
    )
    is_full = write.code in _NO_STORAGE or _FULL.search(write.words)
    if is_full or (write.had_begun and write.code in _BROKEN):
        yield Finding(CAUSES["storage_full"], evidence)
    else:
        yield Finding(CAUSES["write_refused"], evidence)


def _of_sessions(configured: int | None, counted: Sessions) -> Iterator[Finding]:
    if configured is None or not counted.refusal:
        return
    evidence = f"{counted.most} at once, then: {counted.refusal}; configured: {configured}"
    if counted.most < configured:
        yield Finding(CAUSES["sessions_fewer"], evidence)
    elif counted.most > configured:
        yield Finding(CAUSES["sessions_more"], evidence)
