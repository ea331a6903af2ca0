"""What follows from the way to the server, its greeting, its certificate and the login. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from proxy.config import Config

from .causes import CAUSES
from .finding import Finding
from .seen import Attempt, Greeter, Greeting, Login, Met, Names, Seen, Tls

SLOW = 2.0  # seconds for a name
SOON = timedelta(days=14)

# OpenSSL's X509_V_ERR_...
_EARLY, _EXPIRED = frozenset({9}), frozenset({10})
_OTHER_NAME = frozenset({62, 63, 64})

_WANTS_TLS = re.compile(r"\b(TLS|SSL|encrypt\w*|clear ?text|secure (connection|session))\b", re.I)


def of_server(config: Config, seen: Seen) -> Iterator[Finding]:
    """Conclude from everything up to the login."""
    if seen.names is not None:
        yield from _of_names(seen.names)
    yield from _of_attempts(config, seen)
    if seen.greeting is not None:
        yield from _of_greeting(config, seen, seen.greeting)
    if seen.tls is not None:
        yield from _of_tls(config, seen, seen.tls)
    if seen.login is not None:
        yield from _of_login(config, seen, seen.login)
    elif seen.greeting is not None and seen.greeting.is_welcome and not _is_stopped_by_tls(seen):
        yield Finding(CAUSES["no_login"], "no user was given, and ~/.netrc knows none")
    yield from _of_features(seen)
    if seen.lost:
        yield Finding(CAUSES["lost"], seen.lost)


def _of_names(names: Names) -> Iterator[Finding]:
    if not names.addresses:
        code = "no_name_server" if names.is_temporary else "no_such_name"
        yield Finding(CAUSES[code], f"{names.host}: {names.error}")
    elif names.seconds > SLOW:
        yield Finding(CAUSES["slow_names"], f"{names.host} took {names.seconds:.1f} s")


def _of_attempts(config: Config, seen: Seen) -> Iterator[Finding]:
    if not seen.attempts:
        return
    evidence = "; ".join(str(one) for one in seen.attempts)
    first, last = seen.attempts[0], seen.attempts[-1]
    if first.met is Met.ANSWER:
        return
    if last.met is Met.ANSWER:
        yield Finding(CAUSES["first_address_dead"], evidence)
        return
    if standby := config.upstream.standby:
        told = ", ".join(f"`--server {one.address}`" for one in standby)
        evidence += f"; a standby server may do the work meanwhile, look at it with {told}"
    yield from _of_failure(first, evidence, seen)


def _of_failure(first: Attempt, evidence: str, seen: Seen) -> Iterator[Finding]:
    worked = sum(ledger.had_data for ledger in seen.ledgers)
    if worked:
        many = "1 data connection" if worked == 1 else f"{worked} data connections"
        evidence += f"; the state file remembers {many}"
    match first.met:
        case Met.REFUSAL:
            if seen.standard_port is not None:
                evidence += f"; at port 21: {seen.standard_port}"
            yield Finding(CAUSES["refused"], evidence)
        case Met.SILENCE:
            yield Finding(CAUSES["banned" if worked else "silent"], evidence)
        case Met.NO_WAY:
            yield Finding(CAUSES["unreachable"], evidence)
        case Met.NO_DESCRIPTOR:
            yield Finding(CAUSES["descriptors"], evidence)
        case Met.NO_ROOM | Met.ANSWER:
            return  # of_machine tells of the budget


def _of_greeting(config: Config, seen: Seen, greeting: Greeting) -> Iterator[Finding]:
    match greeting.greeter:
        case Greeter.OTHER:
            yield Finding(CAUSES["not_ftp"], greeting.words)
        case Greeter.MUTE:
            yield Finding(CAUSES["mute"], greeting.words)
        case Greeter.GONE:
            yield Finding(CAUSES["hung_up"], greeting.words)
        case Greeter.FTP if greeting.busy:
            yield _full(config, seen, str(greeting))
        case Greeter.FTP if not greeting.is_welcome:
            yield Finding(CAUSES["turned_away"], str(greeting))
        case Greeter.FTP:
            return


def _full(config: Config, seen: Seen, words: str) -> Finding:
    """Tell a limit met by others from one met by ftpweir itself, as it should be."""
    around = seen.machine.sessions_held if seen.machine is not None else 0
    evidence = f"{words}; connections of this machine to the server before ours: {around}"
    held = around
    if (running := seen.running) is not None:  # it knows which of them are its own
        held = running.sessions + running.sessions_elsewhere
        evidence += f"; sessions of ftpweir: {held}"
    is_running = (
        running is not None
        or any(one.is_held for one in seen.ledgers)
        or any(one.is_ours for one in seen.doors)
    )
    is_ours = is_running and held >= (config.upstream.sessions or 1)
    return Finding(CAUSES["sessions_ours" if is_ours else "sessions_full"], evidence)


def _of_tls(config: Config, seen: Seen, tls: Tls) -> Iterator[Finding]:
    if tls.files_problem:
        yield Finding(CAUSES["tls_files"], tls.files_problem)
        return
    if not tls.offered:
        yield Finding(CAUSES["tls_missing"], f"AUTH TLS: {tls.failure}")
        return
    now = seen.machine.clock if seen.machine is not None else None
    shown = _shown(tls)
    if tls.failure and not tls.verify_code:
        yield Finding(CAUSES["tls_failed"], tls.failure)
    elif tls.failure:
        codes = {_by_verification(tls.verify_code), *_by_dates(tls, now)}
        if len(codes) > 1:
            codes.discard("certificate_unknown")  # OpenSSL names the first fault it meets
        for code in codes:
            yield Finding(CAUSES[code], f"{tls.failure}{shown}")
    elif config.upstream.verify == "off" and any(_by_dates(tls, now)):
        yield Finding(CAUSES["certificate_doubtful"], f"it is out of its dates{shown}")
    elif tls.certificate and now and tls.certificate.not_after - now < SOON:
        yield Finding(CAUSES["certificate_soon"], f"certificate{shown}")


def _by_verification(code: int) -> str:
    if code in _EXPIRED:
        return "certificate_expired"
    if code in _EARLY:
        return "certificate_early"
    return "certificate_name" if code in _OTHER_NAME else "certificate_unknown"


def _by_dates(tls: Tls, now: datetime | None) -> Iterator[str]:
    if tls.certificate is None or now is None:
        return
    if tls.certificate.not_after < now:
        yield "certificate_expired"
    if tls.certificate.not_before > now:
        yield "certificate_early"


def _shown(tls: Tls) -> str:
    if tls.certificate is None:
        return ""
    one = tls.certificate
    names = f" for {', '.join(one.names)}" if one.names else ""
    dates = f"{one.not_before:%Y-%m-%d} to {one.not_after:%Y-%m-%d}"
    return f" ({one.subject}{names}, issued by {one.issuer}, valid {dates})"


def _is_stopped_by_tls(seen: Seen) -> bool:
    return seen.tls is not None and bool(seen.tls.failure)


def _of_login(config: Config, seen: Seen, login: Login) -> Iterator[Finding]:
    words = f"{login.user}: {login.code} {login.words}"
    if login.is_done:
        return
    if seen.tls is None and _WANTS_TLS.search(login.words):
        yield Finding(CAUSES["tls_required"], words)
    elif login.busy:
        yield _full(config, seen, words)
    elif login.code == 332:
        yield Finding(CAUSES["account_wanted"], words)
    else:
        yield Finding(CAUSES["login_refused"], words)


def _of_features(seen: Seen) -> Iterator[Finding]:
    if seen.features is None:
        return
    if seen.login is not None and not seen.features.is_unix:
        yield Finding(CAUSES["home_odd"], f"PWD: {seen.features.directory}")
    offered = next((one for one in seen.features.features if one.upper().startswith("AUTH")), None)
    if seen.tls is None and offered is not None:
        yield Finding(CAUSES["tls_offered"], f"FEAT: {offered}")
