"""The embedded server: pyftpdlib with limits, faults, and a firewall that counts what it accepts.

    python -m loadtest.servers.embedded < wishes

Prints a line of JSON when it serves and another one every now and then; on SIGTERM it leaves its
evidence in a file. Replies about a file end with its path, so a stranger's reply can be told.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Any, ClassVar

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler
from pyftpdlib.servers import FTPServer

from proxy.machine import raise_descriptor_limit

from ..firewall import Firewall
from .faulty import CutShort, Mischief
from .wishes import Evidence, Wishes

EVERY = 0.25
PAUSE = 0.02
STAMPED = ("125", "150", "226", "213")
ABOUT_A_FILE = frozenset({"RETR", "STOR", "APPE", "LIST", "NLST", "MLSD", "SIZE", "MDTM"})


class House:
    """What all sessions of the server share."""

    def __init__(self, wishes: Wishes) -> None:
        self.wishes = wishes
        self.mischief = Mischief(wishes.parsed_faults(), wishes.seed)
        self.firewall = Firewall(wishes.limit, wishes.hold, wishes.ban)
        self.evidence = Evidence("emulated firewall", wishes.limit, can_count_bytes=True)
        self.first_login: float | None = None
        self._frozen: list[Any] = []  # kept, because a forgotten socket would be closed

    def freeze(self, ioloop: Any) -> None:
        """Neither read nor answer on any connection: packets of a banned address are dropped."""
        for channel in list(ioloop.socket_map.values()):
            if isinstance(channel, Control | Data):
                ioloop.unregister(channel._fileno)
                self._frozen.append(channel)

    def is_frozen(self, channel: Any) -> bool:
        """Tell whether a connection belongs to an address that was banned."""
        return any(channel is frozen for frozen in self._frozen)

    def testify(self) -> None:
        """Leave the evidence in its file."""
        wall, evidence = self.firewall, self.evidence
        wall.look(monotonic())
        evidence.most, evidence.sessions_most = wall.most, wall.sessions_most
        evidence.opened, evidence.history = wall.opened_in_all, wall.history
        evidence.violations = [(v.moment, v.counted, v.what) for v in wall.violations]
        evidence.banned = wall.banned_until > 0
        evidence.faults = dict(self.mischief.done)
        Path(self.wishes.evidence).write_text(json.dumps(evidence.as_plain()))


class Data(DTPHandler):  # type: ignore[misc]  # pyftpdlib has no types
    """One data connection, counted by the firewall."""

    def __init__(self, sock: Any, cmd_channel: Any) -> None:
        self._house: House = cmd_channel.house
        self.is_struck = False
        self._counted = self._house.firewall.opened("data", monotonic())
        super().__init__(sock, cmd_channel)
        if not self._counted:
            self._house.freeze(self.ioloop)

    def push_with_producer(self, producer: Any) -> None:
        """Send a file, or as much of it as the faults allow."""
        fault = self._house.mischief.for_a_file()
        if fault is None:
            super().push_with_producer(producer)
            return
        size = os.fstat(self.file_obj.fileno()).st_size
        self.use_sendfile = lambda: False
        super().push_with_producer(CutShort(producer, size, fault, self))

    def handle_close(self) -> None:
        """Let a fault take its course: what was cut short is not complete."""
        if not self.is_struck:
            super().handle_close()

    def modify_ioloop_events(self, *args: Any, **kwargs: Any) -> None:
        """Stay out of the loop once the firewall has banned the other side, or a fault struck."""
        if not self.is_struck and not self._house.is_frozen(self):
            super().modify_ioloop_events(*args, **kwargs)

    def close(self) -> None:
        """Count the end once."""
        if not self._closed:
            self._house.evidence.sent += self.tot_bytes_sent
            self._house.evidence.received += self.tot_bytes_received
            if self._counted:
                self._house.firewall.closed("data", monotonic())
        super().close()


class Control(FTPHandler):  # type: ignore[misc]  # pyftpdlib has no types
    """One session."""

    house: ClassVar[House]
    dtp_handler = Data
    banner = "loadtest"
    timeout = 0

    def __init__(self, conn: Any, server: Any, ioloop: Any = None) -> None:
        self._about = ""
        self._late = False
        self._counted = True
        super().__init__(conn, server, ioloop=ioloop)

    def modify_ioloop_events(self, *args: Any, **kwargs: Any) -> None:
        """Stay out of the loop once the firewall has banned the other side."""
        if not self.house.is_frozen(self):
            super().modify_ioloop_events(*args, **kwargs)

    def process_command(self, cmd: str, *args: Any, **kwargs: Any) -> None:
        """Remember which file the replies are about; strike where a command is struck."""
        self._about = self.fs.fs2ftp(args[0]) if cmd in ABOUT_A_FILE and args and args[0] else ""
        if self.house.mischief.strikes("goodbye_421"):
            self.respond("421 Service not available, closing control connection.")
            self.close_when_done()
        elif cmd in ("PASV", "EPSV") and self.house.mischief.strikes("refused_pasv"):
            self.respond("425 Can't open passive connection.")
        else:
            super().process_command(cmd, *args, **kwargs)

    def respond(self, resp: str, logfun: Any = None) -> None:
        """Send a reply, with what the faults make of it."""
        if resp[:3] in STAMPED and self._about:
            resp = f"{resp} [{self._about}]"
        mischief = self.house.mischief
        if resp.startswith("226"):
            if mischief.strikes("late_final"):
                self.call_later(mischief.faults.late_by, self._say, resp)
                return
            for session, reply in mischief.swap(self, resp):
                session._say(reply)
            return
        self._say(resp)

    def handle_auth_success(self, home: str, password: str, msg_login: str) -> None:
        """Start the clock of the restart, and take as long as the scenario says."""
        if self.house.first_login is None:
            self.house.first_login = monotonic()
            self.server.plan_restart()
        delay = self.house.wishes.login_delay
        if not delay:
            super().handle_auth_success(home, password, msg_login)
            return
        self.del_channel()
        self.call_later(delay, self._let_in, home, password, msg_login)

    def handle_max_cons_per_ip(self) -> None:
        """Refuse, and count it."""
        self.house.evidence.refused_sessions += 1
        super().handle_max_cons_per_ip()

    def close(self) -> None:
        """Count the end once."""
        if not self._closed and self._counted:
            self.house.firewall.closed("control", monotonic())
        super().close()

    def log(self, msg: str, logfun: Any = None) -> None:
        """Say nothing: ten thousand sessions would."""

    def _let_in(self, home: str, password: str, msg_login: str) -> None:
        if not self._closed:
            self.add_channel()
            super().handle_auth_success(home, password, msg_login)

    def _say(self, resp: str) -> None:
        if self._closed or self.house.is_frozen(self):
            return
        if resp[0] in "2" and self.authenticated and self.house.mischief.strikes("half_reply"):
            self.push(resp[: len(resp) // 2])
            self.close_when_done()
            return
        super().respond(resp, logfun=_silence)


class Server(FTPServer):  # type: ignore[misc]  # pyftpdlib has no types
    """Accepts what the firewall lets through."""

    house: House
    max_cons = 0

    def handle_accepted(self, sock: Any, addr: Any) -> Any:
        """Count a control connection before anything else may happen to it."""
        if not self.house.firewall.opened("control", monotonic()):
            self.house.freeze(self.ioloop)
            self._dropped.append(sock)  # kept open, never answered
            return None
        delay = self.house.wishes.parsed_faults().slow_accept
        if delay:
            self.ioloop.call_later(delay, super().handle_accepted, sock, addr)
            return None
        return super().handle_accepted(sock, addr)

    def plan_restart(self) -> None:
        """Go away and come back once, if the scenario says so."""
        if self.house.wishes.restart_at is not None:
            self.ioloop.call_later(self.house.wishes.restart_at, self._go_away)

    def _go_away(self) -> None:
        address = self.address
        for channel in list(self.ioloop.socket_map.values()):
            channel.close()
        self.house.mischief.done["restart"] += 1
        self.ioloop.call_later(self.house.wishes.restart_takes, self._come_back, address)

    def _come_back(self, address: tuple[str, int]) -> None:
        self._open(address)

    def _open(self, address: tuple[str, int]) -> None:
        fresh = type(self)(address, self.handler, ioloop=self.ioloop, backlog=self.backlog)
        fresh.max_cons_per_ip = self.max_cons_per_ip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._dropped: list[Any] = []
        super().__init__(*args, **kwargs)


def main() -> None:
    """Serve until SIGTERM."""
    raise_descriptor_limit()
    house = House(Wishes(**json.loads(sys.stdin.readline())))
    logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())
    logging.getLogger("pyftpdlib").propagate = False
    server = _server(house)
    signal.signal(signal.SIGTERM, _leave)
    server.ioloop.call_every(EVERY, _tell, house)
    _print({"port": server.address[1]})
    try:
        while True:
            server.ioloop.loop()
            # It ends when there is no socket at all, as in the middle of a restart.
            sleep(PAUSE)
            server.ioloop.sched.poll()
    except SystemExit:
        house.testify()


def _server(house: House) -> Server:
    wishes = house.wishes
    authorizer = DummyAuthorizer()
    authorizer.add_user(wishes.user, wishes.password, wishes.folder, perm="elradfmwMT")
    Control.authorizer = authorizer
    Control.house = house
    Server.house = house
    server = Server((wishes.host, 0), Control, backlog=wishes.backlog)
    server.max_cons_per_ip = wishes.sessions_per_address or 0
    return server


def _tell(house: House) -> None:
    now = monotonic()
    wall = house.firewall
    _print({"at": now, "counted": wall.look(now), "most": wall.most, "sessions": wall.sessions})


def _print(words: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _leave(*_: object) -> None:
    raise SystemExit


def _silence(*_: object) -> None:
    """Stand in for pyftpdlib's logger."""


if __name__ == "__main__":
    main()
