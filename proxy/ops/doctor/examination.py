"""The whole visit, one step after the other: each is told as it ends, and what it saw is kept.

A step that fails makes those pointless that need it, no others. Concludes nothing.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from proxy.config import Config
from proxy.net.certificate import BadCertificate
from proxy.net.trust import TrustFiles, trust_context
from proxy.ops.snapshot import ONLY_BUDGET

from .credentials import Credentials
from .data import DataVisit, Manner
from .doors import look_at_door
from .ledger import look_at_ledgers
from .machine import look_at_machine
from .names import look_up
from .running import ask_running
from .seen import Attempt, Data, Ledger, Met, Seen, Tls
from .stores import look_at_store
from .trials import count_sessions, try_to_write
from .visit import (
    ask_for_tls,
    get_to_know,
    greet,
    log_in,
    look_at_certificate,
    shake_hands,
)
from .wire import ControlLine, Dialler, LineLost, Purse

STANDARD_PORT = 21
MOST_ADDRESSES = 2  # one of each family: each may stand before another firewall


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator asked for beyond the usual. `tls` None: as configured.

    `server` and `budget` are what a running ftpweir calls the server that is looked at.
    """

    login: Credentials | None = None
    tls: str | None = None
    write_test: str | None = None
    probe_limits: bool = False
    server: str = ""
    budget: str = ONLY_BUDGET


@dataclass(frozen=True, slots=True)
class Step:
    """One line of progress. `is_good` None: nothing was to be judged."""

    name: str
    words: str
    is_good: bool | None = None


class Examination:
    """One examination; `tell` hears of each step as it ends."""

    def __init__(self, config: Config, wishes: Wishes, tell: Callable[[Step], None]) -> None:
        self._config = config
        self._wishes = wishes
        self._tell = tell
        self._tls = wishes.tls or config.upstream.tls
        self._reply = config.timeouts.login
        self.steps: list[Step] = []
        self.seen = Seen()
        self._purse = Purse(None)
        self._line: ControlLine | None = None
        self._context: ssl.SSLContext | None = None  # once TLS has begun

    def run(self) -> Seen:
        """Look at everything that can be looked at."""
        seen = self.seen
        self._look_around()
        self._dialler = Dialler(
            self._purse,
            patience=self._config.timeouts.connect,
            source=next(iter(self._config.upstream.source_addresses), None),
        )
        try:
            if self._connect() and self._greeting() and self._secure() and self._log_in():
                self._use()
        except LineLost as problem:
            seen.lost = str(problem)
            self._say("control", seen.lost, False)
        finally:
            if self._line is not None:
                self._line.quit()
            seen.connections = self._purse.spent
            seen.no_room = self._purse.was_short
        return seen

    # Here.

    def _look_around(self) -> None:
        config, seen = self._config, self.seen
        upstream = config.upstream
        seen.doors = tuple(
            look_at_door(
                one.address, is_plain=one.tls != "implicit" and one.proxy_protocol == "off"
            )
            for one in config.listen
        )
        for door in seen.doors:
            self._say("ftpweir", f"{door.place}: {door.greeting or door.attempt.met.value}")
        seen.ledgers = look_at_ledgers(config, time.monotonic())
        for ledger in seen.ledgers:
            self._say("state", _of_ledger(ledger), not ledger.problem)
        self._look_at_store()
        self._ask_running()
        seen.names = look_up(upstream.host, upstream.port, self._reply)
        found = seen.names.addresses
        seen.machine = look_at_machine(
            [(address, upstream.port) for address in found],
            upstream.source_addresses,
            next(map(Path, config.state_files), None),
        )
        machine = seen.machine
        self._say(
            "machine",
            f"{machine.descriptors:,} descriptors, {machine.ports - machine.ports_used:,} of "
            f"{machine.ports:,} ports free, {machine.clock:%Y-%m-%d %H:%M} UTC",
        )
        self._say("resolve", ", ".join(found) or seen.names.error, bool(found))
        self._purse = Purse(self._room())

    def _look_at_store(self) -> None:
        store = self.seen.store = look_at_store(self._config.store)
        if store is not None:
            words = f"{store.engine} {store.version}, answers in {1000 * store.seconds:.1f} ms"
            self._say("store", f"{store.place}: {store.problem or words}", not store.problem)

    def _ask_running(self) -> None:
        wishes = self._wishes
        running = ask_running(self._config.status, server=wishes.server, budget=wishes.budget)
        self.seen.running = running
        if running is not None:
            slots = f"{running.used} of {running.limit} slots used"
            words = f"{slots}, {running.sessions} sessions with the server"
            ban = f", suspects a ban for {running.banned_for:.0f} s more"
            is_banned = running.banned_for > 0
            self._say("status", words + (ban if is_banned else ""), not is_banned)

    def _room(self) -> int | None:
        """Return how many connections the firewall still tolerates, the headroom included.

        A running ftpweir stays below its headroom and does not count ours: that is what it is for.
        """
        budget = self._config.budget
        if budget.enforce == "off":
            return None
        used = self.seen.ledgers[0].used if self.seen.ledgers else 0
        if self.seen.running is not None:
            used = max(used, self.seen.running.used)
        return max(0, budget.connections - budget.reserved - used)

    # The way there.

    def _connect(self) -> bool:
        names = self.seen.names
        assert names is not None
        port = self._config.upstream.port
        for host in _one_of_each_family(names.addresses)[:MOST_ADDRESSES]:
            attempt, sock = self._dialler.connect(host, port)
            self.seen.attempts.append(attempt)
            self._say("connect", str(attempt), sock is not None)
            if sock is not None:
                self._line = ControlLine(sock)
                return True
        attempts = self.seen.attempts
        if port != STANDARD_PORT and attempts and attempts[0].met is Met.REFUSAL:
            self._ask_standard_port(attempts[0])
        return False

    def _ask_standard_port(self, refused: Attempt) -> None:
        """A refused connection cost the firewall nothing: one more tells a wrong port."""
        _, sock = self._dialler.connect(refused.host, STANDARD_PORT)
        if sock is not None:
            line = ControlLine(sock)
            self.seen.standard_port = greet(line, self._reply)
            line.close()
            self._say("port 21", str(self.seen.standard_port))

    def _greeting(self) -> bool:
        line = self._open_line()
        if self._tls == "implicit" and not self._shake_hands(line):
            return False
        greeting = self.seen.greeting = greet(line, self._reply)
        self._say("greeting", str(greeting), greeting.is_welcome)
        return greeting.is_welcome

    def _secure(self) -> bool:
        if self._tls != "explicit":
            return True
        line = self._open_line()
        reply = ask_for_tls(line, self._reply)
        if reply.code != 234:
            self.seen.tls = Tls(False, failure=f"{reply.code} {reply.words}")
            self._say("tls", self.seen.tls.failure, False)
            return False
        return self._shake_hands(line)

    def _shake_hands(self, line: ControlLine) -> bool:
        upstream = self._config.upstream
        try:
            self._context = self._trust()
        except BadCertificate as problem:
            self.seen.tls = Tls(True, failure=str(problem), files_problem=str(problem))
            self._say("tls", str(problem), False)
            return False
        name = upstream.server_name or upstream.host
        tls = shake_hands(line, self._context, name, self._reply)
        if tls.failure:
            line.close()
            self._line = None
            if tls.verify_code:
                certificate = look_at_certificate(
                    self._dialler,
                    str(line.host),
                    upstream.port,
                    implicit=self._tls == "implicit",
                    patience=self._reply,
                )
                tls = Tls(True, tls.version, tls.failure, tls.verify_code, certificate)
        self.seen.tls = tls
        until = f", until {tls.certificate.not_after:%Y-%m-%d}" if tls.certificate else ""
        self._say("tls", (tls.failure or tls.version) + until, not tls.failure)
        return not tls.failure

    def _trust(self) -> ssl.SSLContext:
        """Judge the server as the proxy does."""
        upstream = self._config.upstream
        files = TrustFiles(
            verify=upstream.verify == "on",
            ca=upstream.ca,
            certificate=upstream.certificate,
            key=upstream.key,
            min_version=upstream.min_version,
        )
        return trust_context(files)

    def _log_in(self) -> bool:
        line = self._open_line()
        if self._wishes.login is None:
            self._say("login", "not tried: no user is given")
            with suppress(LineLost):  # some servers say nothing before a login
                self.seen.features = get_to_know(line, self._reply)
            return False
        login = self.seen.login = log_in(line, self._wishes.login, self._reply)
        self._say("login", f"{login.code} {login.words}", login.is_done)
        return login.is_done

    # What can be done there.

    def _use(self) -> None:
        config, line = self._config, self._open_line()
        features = self.seen.features = get_to_know(line, self._reply)
        self._say("server", f"{features.system or 'no SYST'}; home {features.directory}")
        if self.seen.running is not None and self.seen.running.banned_for > 0:
            self._say("data", "not tried: each try may prolong the ban that ftpweir suspects")
            return
        if self._context is not None:
            line.ask("PBSZ 0", self._reply)
            line.ask("PROT P", self._reply)
        manner = Manner(config.timeouts.connect, config.timeouts.final, self._context)
        data = DataVisit(line, self._dialler, manner)
        self._keep(data.list_passively("PASV", "fin"))
        self._keep(data.list_passively("EPSV", "reset"))
        if self._wishes.write_test is not None:
            write = try_to_write(line, data, self._wishes.write_test, config.timeouts.final)
            self.seen.write = write
            words = f"{write.code} {write.words}" if write else "no data connection"
            self._say("write", words, write is not None and 200 <= write.code < 300)
        if self._wishes.probe_limits:
            self._probe(line)
        # Last, because a server may take a minute to give up on us.
        self._keep(data.list_actively(config.upstream.ports))

    def _probe(self, line: ControlLine) -> None:
        upstream = self._config.upstream
        found = self.seen.sessions = count_sessions(
            self._dialler,
            str(line.host),
            upstream.port,
            login=self._wishes.login if self._tls == "off" else None,
            patience=self._reply,
            already=1,
        )
        self._say("sessions", f"{found.most} at once; {found.refusal or 'no refusal met'}")

    def _keep(self, data: Data) -> None:
        self.seen.data.append(data)
        self._say(data.verb.lower(), _of_data(data), 200 <= data.code < 300)

    def _open_line(self) -> ControlLine:
        assert self._line is not None
        return self._line

    def _say(self, name: str, words: str, is_good: bool | None = None) -> None:
        step = Step(name, words, is_good)
        self.steps.append(step)
        self._tell(step)


def _one_of_each_family(addresses: tuple[str, ...]) -> list[str]:
    first: dict[bool, str] = {}
    for address in addresses:
        first.setdefault(":" in address, address)
    return list(first.values())


def _of_ledger(ledger: Ledger) -> str:
    if ledger.problem:
        return f"{ledger.path}: {ledger.problem}"
    if not ledger.is_believed:
        return f"{ledger.path}: cannot be believed"
    holder = "a running ftpweir has it" if ledger.is_held else "no ftpweir has it"
    return f"{ledger.path}: {ledger.used} of {ledger.limit} slots used, {holder}"


def _of_data(data: Data) -> str:
    if not data.is_agreed and data.attempt is None:
        return data.reply
    if data.attempt is not None and not data.is_connected:
        return str(data.attempt)
    told = f"{data.code} {data.words} {data.size:,} bytes listed"
    if data.our_time_wait is None:
        return told
    if data.close == "reset":
        return f"{told}; ended by reset: TIME_WAIT {'here' if data.our_time_wait else 'nowhere'}"
    return f"{told}; ended by FIN: TIME_WAIT {'here' if data.our_time_wait else 'at the server'}"
