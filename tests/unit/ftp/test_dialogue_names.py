"""One client's dialogue about directories, names and options, which the server must answer."""

from __future__ import annotations

import pytest

from proxy.ftp.action import (
    Answer,
    Forward,
    Move,
    Pin,
    Rename,
    Transfer,
)
from proxy.ftp.command import Command, Needs, parse_command
from proxy.ftp.facts import ServerFacts
from proxy.ftp.virtual import State, replay
from tests.support.dialogues import FACTS, do, guest, reply_to

# Directories and names.


def test_a_directory_is_what_the_server_called_it_and_pwd_comes_from_memory() -> None:
    dialogue = guest()
    assert do(dialogue, "CWD pub") == Move(Command("CWD", b"pub"))
    dialogue.moved(b'/home/"pub"')
    assert reply_to(dialogue, "PWD").text == b'"/home/""pub""" is the current directory.'
    assert reply_to(dialogue, "XPWD").code == 257


@pytest.mark.parametrize("line", ["CWD a", "XCWD a", "CDUP", "XCUP"])
def test_every_way_to_move_is_one(line: str) -> None:
    assert isinstance(do(guest(), line), Move)


def test_a_directory_that_cannot_be_remembered_is_asked_for() -> None:
    dialogue = guest(home=None)
    assert do(dialogue, "PWD") == Forward(Command("PWD"), Needs.NOTHING)


def test_a_move_that_fails_changes_nothing() -> None:
    dialogue = guest()
    do(dialogue, "CWD missing")
    assert dialogue.state.cwd == b"/home"


def test_names_pass_in_their_own_bytes() -> None:
    job = guest().decide(parse_command(b"RETR gr\xfc\xdf\xff\r "))
    assert isinstance(job, Transfer)
    assert job.command.line == b"RETR gr\xfc\xdf\xff\r "


def test_rnfr_is_told_to_the_server_only_together_with_rnto() -> None:
    dialogue = guest()
    source, target = Command("RNFR", b"a"), Command("RNTO", b"b")
    assert reply_to(dialogue, "RNFR a").code == 350
    assert do(dialogue, "NOOP", "RNTO b") == Rename(source, target)
    assert reply_to(dialogue, "RNTO b").code == 503


@pytest.mark.parametrize("between", ["PWD", "CWD x", "QUIT", "TYPE I"])
def test_anything_but_noop_between_rnfr_and_rnto_ends_the_rename(between: str) -> None:
    dialogue = guest()
    do(dialogue, "RNFR a", between)
    assert reply_to(dialogue, "RNTO b").code == 503


def test_a_refused_command_between_rnfr_and_rnto_ends_the_rename_too() -> None:
    dialogue = guest()
    do(dialogue, "RNFR a")
    assert reply_to(dialogue, "TYPE E").code == 504
    assert reply_to(dialogue, "RNTO b").code == 503


# Options and words of the server's own.


def test_utf8_is_remembered_and_told_to_the_server_with_the_next_name() -> None:
    dialogue = guest()
    assert reply_to(dialogue, "OPTS utf8 on").text == b"UTF8 is on."
    assert dialogue.state.options == {b"UTF8": b"ON"}
    assert isinstance(do(dialogue, "OPTS UTF8 off"), Pin)  # nobody knows how to undo it
    assert reply_to(dialogue, "OPTS UTF8").text == b"UTF8 is on."


def test_utf8_is_not_promised_for_a_server_that_does_not_know_it() -> None:
    assert reply_to(guest(facts=ServerFacts()), "OPTS UTF8 ON").code == 501


def test_the_facts_of_mlst_are_asked_and_replayed_and_other_options_pin() -> None:
    dialogue = guest()
    asked = Command("OPTS", b"MLST size;")
    assert do(dialogue, "OPTS MLST size;") == Forward(asked, Needs.OPTIONS)
    dialogue.option_set(b"MLST", b"size;")
    assert dialogue.state.options == {b"MLST": b"size;"}
    assert isinstance(do(dialogue, "OPTS HASH MD5"), Pin)
    assert isinstance(do(dialogue, "OPTS UTF8 NLST"), Pin)


@pytest.mark.parametrize("line", ["SITE UMASK 022", "SITE IDLE 9", "SITE \u00e4", "SITE  CHMOD"])
def test_a_site_word_that_may_leave_something_behind_pins(line: str) -> None:
    assert do(guest(), line) == Pin(parse_command(line.encode()))


def test_a_site_word_known_as_harmless_is_forwarded() -> None:
    line = "SITE chmod 600 a"
    assert do(guest(), line) == Forward(parse_command(line.encode()), Needs.ALL)


def test_a_verb_that_nobody_knows_pins() -> None:
    assert do(guest(), "XCRC a") == Pin(Command("XCRC", b"a"))


# Two clients on one session with the server.


def test_size_is_asked_in_the_type_of_its_client() -> None:
    ascii, binary = guest(), guest()
    do(binary, "TYPE I")
    action = do(binary, "SIZE a")
    assert isinstance(action, Forward)
    steps = replay(ascii.state, binary.state, action.needs, {})
    assert [step.line for step in steps] == [b"TYPE I"]


@pytest.mark.parametrize(
    ("line", "replayed"),
    [
        ("TYPE I", [b"TYPE I"]),
        ("OPTS UTF8 ON", [b"OPTS UTF8 ON"]),
        ("STRU F", []),
        ("MODE S", []),
        ("REST 5", []),
        ("ALLO 5", []),
        ("EPSV ALL", []),
    ],
)
def test_what_one_client_sets_the_other_one_does_not_meet(line: str, replayed: list[bytes]) -> None:
    one, other = guest(), guest()
    assert isinstance(do(one, line), Answer)
    assert other.state == State(b"/home")
    steps = replay(other.state, one.state, Needs.ALL, FACTS.option_defaults)
    assert [step.line for step in steps] == replayed
