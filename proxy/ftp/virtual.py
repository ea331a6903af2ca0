"""The state a client believes its server session has, and what must be replayed to make it true.

Sessions with the server are lent per command, so what one client set (directory, TYPE, options)
must be set again before its next command, and only where it differs. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .command import Needs
from .reply import Reply

ASCII = b"A"
BINARY = b"I"
UNKNOWN = b"?"  # equals nothing that a client can want, so it is always replayed


@dataclass(slots=True)
class State:
    """Directory, TYPE and OPTS: of a client (wanted) or of a session with the server (actual).

    A fresh login stands in `cwd` = what PWD said, TYPE A (RFC 959 section 5.1), no options.
    `cwd` None means unknown: nothing can be replayed, the session must be pinned.
    """

    cwd: bytes | None = None
    type: bytes = ASCII
    options: dict[bytes, bytes] = field(default_factory=dict)  # OPTS word -> its argument

    def copy(self) -> State:
        """Return a state of its own with the same content."""
        return State(self.cwd, self.type, dict(self.options))


@dataclass(frozen=True, slots=True)
class Step:
    """One command to replay, and the state that its success makes true."""

    line: bytes
    # OPTS may be refused without harm: the client was told what the server's FEAT promises.
    may_fail: bool = False
    cwd: bytes | None = None
    type: bytes | None = None
    option: tuple[bytes, bytes] | None = None

    def doubt(self, state: State) -> None:
        """Note that this step is on its way: until it is answered, nobody knows what stands."""
        if self.cwd is not None:
            state.cwd = None
        if self.type is not None:
            state.type = UNKNOWN
        if self.option is not None:
            state.options[self.option[0]] = UNKNOWN

    def apply(self, state: State) -> None:
        """Note in `state` what this step has made true."""
        if self.cwd is not None:
            state.cwd = self.cwd
        if self.type is not None:
            state.type = self.type
        if self.option is not None:
            state.options[self.option[0]] = self.option[1]


def replay(actual: State, wanted: State, needs: Needs, defaults: dict[bytes, bytes]) -> list[Step]:
    """List exactly the commands that turn `actual` into `wanted` as far as `needs` asks.

    `defaults`: the argument that takes an OPTS word back to what a fresh login has.
    """
    steps: list[Step] = []
    if Needs.OPTIONS in needs:
        # What the client never set goes back to its default, where that is known.
        undone = {w: v for w, v in defaults.items() if w in actual.options}
        for word, value in sorted((undone | wanted.options).items()):
            if actual.options.get(word) != value:
                line = b"OPTS " + word + (b" " + value if value else b"")
                steps.append(Step(line, may_fail=True, option=(word, value)))
    if Needs.TYPE in needs and actual.type != wanted.type:
        steps.append(Step(b"TYPE " + wanted.type, type=wanted.type))
    if Needs.CWD in needs and wanted.cwd is not None and actual.cwd != wanted.cwd:
        steps.append(Step(b"CWD " + wanted.cwd, cwd=wanted.cwd))
    return steps


def parse_directory(reply: Reply) -> bytes | None:
    """Read the absolute path out of a 257 (RFC 959 appendix II: inner quotes are doubled).

    None when it is not a Unix path: such a directory cannot be replayed.
    """
    if reply.code != 257:
        return None
    text = reply.text.replace(b"\r\0", b"\r")  # RFC 2640 section 3.1
    start = text.find(b'"')
    if start < 0 or b"\0" in text:
        return None  # a NUL could not be sent back
    path = bytearray()
    at = start + 1
    while at < len(text):
        if text[at] == 0x22:
            if text[at + 1 : at + 2] != b'"':
                return bytes(path) if path.startswith(b"/") else None
            at += 1
        path.append(text[at])
        at += 1
    return None


def directory_reply(path: bytes) -> Reply:
    """Answer PWD from memory, in the server's own bytes."""
    quoted = path.replace(b'"', b'""').replace(b"\r", b"\r\0")
    return Reply(257, (b'257 "' + quoted + b'" is the current directory.',))
