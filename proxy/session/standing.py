"""Which class one session counts in: by its address first, by its user once it logs in, and anew
after a reload."""

from __future__ import annotations

from proxy.ftp.command import Command
from proxy.ftp.permissions import READ_ONLY, is_anonymous
from proxy.ftp.protection import Require
from proxy.gate.request import Source
from proxy.refusals import Declined, Reason

from .shared import Shared


class Standing:
    """The Source of one session, counted at the gate from `enter` to `leave`."""

    def __init__(self, shared: Shared, host: str) -> None:
        self._shared = shared
        self._host = host
        self._classify = shared.classify
        self.source = self._classify(host, b"")
        self._is_counted = False

    async def enter(self, descriptor: int) -> None:
        """Count the session; raise Declined when its class, or the process, allows no more."""
        limit = self._shared.manners.most_descriptors
        if descriptor >= limit:
            # Descriptors are numbered from below: this number tells how many are in use.
            raise Declined(Reason.DESCRIPTORS, used=descriptor, limit=limit)
        await self._count(self.source)
        self._is_counted = True

    def leave(self) -> None:
        """The session is over."""
        if self._is_counted:
            self._shared.caps.leave_session(self.source.key)

    async def log_in(self, user: bytes) -> None:
        """A class may be chosen by user: the session counts there from now on, if it has room."""
        source = self._class_of(user)
        if source.key != self.source.key:
            await self._count(source)
            self._shared.caps.leave_session(self.source.key)
        self.source = source

    def forbids(self, command: Command, user: bytes) -> tuple[str | None, str]:
        """Return the setting that forbids a command, if one does, and where it stands. A class may
        forbid verbs; an anonymous login may have to leave all as it is."""
        setting = self.source.permissions.forbids(command)
        if setting is not None:
            return setting, f"clients.{setting}, class {self.source.class_name}"
        looks_only = self._shared.manners.anonymous == "read-only" and is_anonymous(user)
        if looks_only and READ_ONLY.forbids(command):
            return "anonymous", "login.anonymous"
        return None, ""

    def requires(self, user: bytes) -> Require:
        """What of TLS is required of who gives this name; nothing of who fits no class."""
        return self._shared.classify(self._host, user).require

    def renew(self, user: bytes) -> None:
        """After a reload count in the class that matches now; who is here is not one too many."""
        if self._classify is not self._shared.classify:
            source = self._class_of(user)
            self._shared.caps.move_session(self.source.key, source.key)
            self.source = source

    async def _count(self, source: Source) -> None:
        limits = source.limits
        if not await self._shared.caps.enter_session(source.key, limits):
            used = limit = limits.sessions
            raise Declined(Reason.CLASS_SESSIONS, used=used, limit=limit, who=source.host)

    def _class_of(self, user: bytes) -> Source:
        self._classify = self._shared.classify
        source = self._classify(self._host, user)
        if not source.class_name:
            raise Declined(Reason.NO_CLASS, who=user.decode("utf-8", "backslashreplace"))
        return source
