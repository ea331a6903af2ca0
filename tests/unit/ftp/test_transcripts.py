"""Conversations as text, replayed against Dialogue without sockets: tests/transcripts/*.txt.

A line that goes in is obeyed, every other line is what must come out:

    C: RETR a.bin          a client's command (in: one client is C, two on one server are A and B)
    -> moved /pub          what the session learned from the server (in)
    = harmless UTIME       a setting, at the top (in); text behind # is for the reader
    S: 350 Restarting      our own reply
    => Transfer ...        what is to be done
    >> CWD /pub            what the shared server session must be told before that is done
"""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.ftp.action import (
    Action,
    Answer,
    Close,
    DropData,
    Forward,
    Login,
    Move,
    Name,
    OpenPassive,
    Pin,
    Rename,
    Restart,
    SetActive,
    StartTls,
    Transfer,
)
from proxy.ftp.command import Needs, parse_command
from proxy.ftp.dialogue import Dialogue
from proxy.ftp.facts import ServerFacts
from proxy.ftp.reply import Refused, Reply
from proxy.ftp.virtual import State, replay

TRANSCRIPTS = Path(__file__).parents[2] / "transcripts"
SPEAKERS = ("A", "B", "C")


class Stage:
    """One or two clients' dialogues before one session with the server; writes what happens."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self._client = "192.0.2.7"
        self._harmless: frozenset[str] = frozenset()
        self._dialogues: dict[str, Dialogue] = {}
        self._speaker = "C"
        self._server: State | None = None

    def play(self, line: str) -> None:
        """Obey a line that goes in; forget one that must come out."""
        sign, _, rest = line.partition(" ")
        if sign not in (*(f"{name}:" for name in SPEAKERS), "->", "=", "#", ""):
            return
        self.text.append(line)
        if sign == "=":
            self._set(rest)
        elif sign == "->":
            self._learn(rest)
        elif sign[:1] in SPEAKERS:
            self._speaker = sign[0]
            self._command(rest.encode())

    @property
    def _dialogue(self) -> Dialogue:
        if self._speaker not in self._dialogues:
            is_ipv6 = ":" in self._client
            self._dialogues[self._speaker] = Dialogue(
                self._client, is_ipv6=is_ipv6, site_harmless=self._harmless
            )
        return self._dialogues[self._speaker]

    def _set(self, setting: str) -> None:
        name, _, value = setting.partition(" ")
        if name == "client":
            self._client = value
        else:
            assert name == "harmless", f"no such setting: {name}"
            self._harmless = frozenset(value.split())

    def _command(self, line: bytes) -> None:
        try:
            action = self._dialogue.decide(parse_command(line))
        except Refused as refused:
            self._say(refused.reply)
            return
        done, needs, reply = tell(action)
        if done:
            self.text.append(f"=> {done}")
        if self._server is not None:
            defaults = self._dialogue.facts.option_defaults
            for step in replay(self._server, self._dialogue.state, needs, defaults):
                self.text.append(f">> {step.line.decode()}")
                step.apply(self._server)
        if reply is not None:
            self._say(reply)

    def _say(self, reply: Reply) -> None:
        self.text.extend(f"S: {line.decode()}" for line in reply.lines)

    def _learn(self, outcome: str) -> None:
        name, _, rest = outcome.partition(" ")
        argument = rest.encode()
        match name:
            case "logged-in":
                home, _, features = argument.partition(b" ")
                self._server = self._server or State(home)
                facts = ServerFacts(tuple(filter(None, features.split(b"|"))))
                self._dialogue.logged_in(home or None, facts)
            case "account-wanted":
                self._dialogue.account_wanted()
            case "login-failed":
                self._dialogue.login_failed()
            case "moved":
                assert self._server is not None
                self._server.cwd = argument or None
                self._dialogue.moved(argument or None)
            case _:
                assert name == "option", f"no such outcome: {name}"
                assert self._server is not None
                word, _, value = argument.partition(b" ")
                self._server.options[word] = value
                self._dialogue.option_set(word, value)


def tell(action: Action) -> tuple[str, Needs, Reply | None]:
    """Put an action into words, with what it needs on the server and our own reply to it."""
    name = type(action).__name__
    match action:
        case Answer(reply) | Name(reply):
            return "", Needs.NOTHING, reply
        case Restart(reply) | StartTls(reply) | DropData(reply) | Close(reply):
            return name, Needs.NOTHING, reply
        case Login(user, password, account):
            given = (user, password) if account is None else (user, password, account)
            words = " ".join(word.decode() or "(empty)" for word in given)
            return f"{name} {words}", Needs.NOTHING, None
        case OpenPassive(extended):
            return f"{name} extended" if extended else name, Needs.NOTHING, None
        case SetActive(endpoint):
            return f"{name} {endpoint.host} {endpoint.port}", Needs.NOTHING, None
        case Forward(command, needs):
            return f"{name} {command.line.decode()}", needs, None
        case Pin(command):
            return f"{name} {command.line.decode()}", Needs.ALL, None
        case Move(command):
            return f"{name} {command.line.decode()}", Needs.PATH, None
        case Rename(source, target):
            both = f"{source.line.decode()}, {target.line.decode()}"
            return f"{name} {both}", Needs.PATH, None
        case Transfer(command, direction, restart):
            start = f" from {restart.decode()}" if restart is not None else ""
            done = f"{name} {direction.value}{start}: {command.line.decode()}"
            return done, Needs.ALL, None


@pytest.mark.parametrize("path", sorted(TRANSCRIPTS.glob("*.txt")), ids=lambda path: path.stem)
def test_a_conversation_goes_as_written(path: Path) -> None:
    written = path.read_text(encoding="utf-8").splitlines()
    stage = Stage()
    for line in written:
        stage.play(line)
    assert stage.text == written


def test_there_are_conversations_of_the_usual_clients() -> None:
    told = {path.stem for path in TRANSCRIPTS.glob("*.txt")}
    assert told >= {"axel", "basic_ftp", "curl", "filezilla", "ftplib", "lftp", "ncftp"}
    assert told >= {"net_ftp", "rclone", "tnftp", "wget"}
