"""What one session tells of itself: the events that carry its name, its source and its class."""

from __future__ import annotations

from dataclasses import dataclass

from proxy import events
from proxy.events import Announce
from proxy.ftp.command import Command, Treatment
from proxy.ftp.dialogue import Dialogue
from proxy.ftp.reply import Reply
from proxy.net.fault import Ended, Why
from proxy.refusals import Reason

from .client_tls import TlsFailed
from .standing import Standing


@dataclass
class Deeds:
    """What a session has done so far; bytes are those handed to the receiving side."""

    commands: int = 0
    transfers: int = 0
    bytes_down: int = 0
    bytes_up: int = 0


class Chronicle:
    """Announces the deeds of one session."""

    def __init__(
        self, announce: Announce, session: str, host: str, standing: Standing, dialogue: Dialogue
    ) -> None:
        self._announce = announce
        self._session = session
        self._host = host
        self._standing = standing
        self._dialogue = dialogue
        self.server = ""  # the one that it is for, by name
        self.deeds = Deeds()

    @property
    def user(self) -> str:
        """The login name given, as text."""
        return self._dialogue.user.decode("utf-8", "backslashreplace")

    def logged_in(self) -> None:
        """The client has proved who it is."""
        self._announce(events.LoggedIn(*self._who, self.server))

    def gone(self, end: TlsFailed | Ended) -> str:
        """The client is gone; return why, in the words of the log."""
        fault = end.fault if isinstance(end, Ended) else None
        if isinstance(end, TlsFailed) or (fault is not None and fault.why is Why.TLS):
            self._announce(events.TlsFailed(self._session, self._host, str(end)))
            return "no TLS"
        return "client left" if fault is None else "client lost"

    def changed(self, command: Command, reply: Reply) -> None:
        """A command that may change something was answered."""
        path = command.argument
        if command.rule.treatment is Treatment.PIN:
            path = path.split(b" ")[0]  # the rest may be secret (SITE PSWD)
        told = path.decode("utf-8", "backslashreplace")
        self._announce(events.Changed(*self._who, command.verb, told, reply.code))

    def forbidden(self, command: Command, setting: str) -> None:
        """A command was not obeyed because a setting forbids it."""
        self._announce(events.Forbidden(*self._who, command.verb, setting))

    def refused(self, reason: Reason, code: int, sentence: str, ref: str) -> None:
        """The client hears an explained refusal."""
        self._announce(events.Refused(*self._who, reason.value, code, sentence, ref, self.server))

    def pinned(self, upstream_session: int, verb: str) -> None:
        """The session keeps its upstream session from now on."""
        self._announce(events.Pinned(self._session, upstream_session, verb))

    def transfer(self, ended: events.TransferEnded) -> None:
        """A transfer is over."""
        self.deeds.transfers += 1
        if ended.kind == "upload":
            self.deeds.bytes_up += ended.moved
        else:
            self.deeds.bytes_down += ended.moved
        self._announce(ended)

    def ended(self, reason: str, duration: float, tls: str) -> None:
        """The session is over."""
        deeds = self.deeds
        self._announce(
            events.SessionEnded(
                *self._who,
                reason=reason,
                duration=duration,
                commands=deeds.commands,
                transfers=deeds.transfers,
                bytes_down=deeds.bytes_down,
                bytes_up=deeds.bytes_up,
                tls=tls,
            )
        )

    @property
    def _who(self) -> tuple[str, str, str, str]:
        return self._session, self._host, self.user, self._standing.source.class_name
