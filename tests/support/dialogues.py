"""Dialogues in the states that tests begin with, and ways to talk to them. No sockets."""

from __future__ import annotations

from proxy.ftp.action import (
    Action,
    Answer,
    Close,
    DropData,
    Name,
    Restart,
)
from proxy.ftp.command import parse_command
from proxy.ftp.dialogue import Dialogue
from proxy.ftp.facts import ServerFacts
from proxy.ftp.reply import Refused, Reply

FACTS = ServerFacts((b"UTF8", b"MLST type*;size*;"), Reply.of(215, "UNIX Type: L8", "really"))


def stranger(client: str = "192.0.2.7") -> Dialogue:
    return Dialogue(client, is_ipv6=":" in client, site_harmless=frozenset({"CHMOD"}))


def guest(home: bytes | None = b"/home", facts: ServerFacts = FACTS) -> Dialogue:
    """Return the dialogue of a client that has logged in."""
    dialogue = stranger()
    do(dialogue, "USER alice", "PASS secret")
    dialogue.logged_in(home, facts)
    return dialogue


def do(dialogue: Dialogue, *lines: str) -> Action:
    """Obey the lines; return what the last one asks for."""
    *before, last = lines
    for line in before:
        do(dialogue, line)
    return dialogue.decide(parse_command(last.encode()))


def reply_to(dialogue: Dialogue, *lines: str) -> Reply:
    """Return our own reply to the last line, be it an answer or a refusal."""
    try:
        action = do(dialogue, *lines)
    except Refused as refused:
        return refused.reply
    assert isinstance(action, Answer | Name | Restart | DropData | Close)
    return action.reply
