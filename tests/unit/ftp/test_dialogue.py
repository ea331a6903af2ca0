"""One client's dialogue: answers of ours, and transfers."""

from __future__ import annotations

import pytest

from proxy.ftp.action import (
    Answer,
    Close,
    DropData,
    Forward,
    Restart,
    Transfer,
)
from proxy.ftp.command import COMMANDS, Command, Needs, Treatment
from proxy.ftp.dialogue import Stage
from proxy.ftp.facts import ServerFacts
from proxy.ftp.reply import Refused
from proxy.ftp.virtual import BINARY, State
from tests.support.dialogues import FACTS, do, guest, reply_to, stranger

# Answers of ours.


@pytest.mark.parametrize(
    ("line", "code"),
    [("NOOP", 200), ("HELP", 214), ("HELP SITE", 214), ("ALLO 5", 202), ("CLNT x", 200)],
)
def test_what_leaves_no_trace_on_a_server_is_answered_here(line: str, code: int) -> None:
    assert reply_to(guest(), line).code == code


def test_no_answer_of_ours_is_preliminary() -> None:
    for verb in COMMANDS:
        for argument in (b"", b"1", b"A", b"S", b"F", b"UTF8 ON", b"|1|192.0.2.7|2000|"):
            try:
                action = guest().decide(Command(verb, argument))
            except Refused as refused:
                action = Answer(refused.reply)
            if isinstance(action, Answer | Restart | DropData | Close):
                assert not action.reply.is_preliminary, verb


def test_help_names_what_is_carried_and_nothing_else() -> None:
    words = reply_to(stranger(), "HELP").words.split()
    for verb, rule in COMMANDS.items():
        assert (verb in words) == (rule.treatment not in (Treatment.REFUSED, Treatment.SECURITY)), (
            verb
        )


def test_feat_opts_and_syst_before_a_login_ask_no_server() -> None:
    assert reply_to(stranger(), "SYST").code == 215
    # lftp asks once more behind the login after a 530, and after nothing else.
    assert reply_to(stranger(), "FEAT").code == 530
    assert reply_to(stranger(), "OPTS UTF8 ON").code == 530


def test_feat_and_syst_behind_a_login_are_the_servers() -> None:
    dialogue = guest()
    assert b" UTF8" in reply_to(dialogue, "FEAT").lines
    assert reply_to(dialogue, "SYST") == FACTS.system


def test_a_server_that_hides_its_system_is_taken_for_unix() -> None:
    assert reply_to(guest(facts=ServerFacts()), "SYST").text == b"UNIX Type: L8"


def test_stat_tells_of_this_session_without_asking_the_server() -> None:
    dialogue = guest()
    assert "TYPE ASCII" in reply_to(dialogue, "STAT").words
    assert "alice, TYPE binary" in reply_to(dialogue, "TYPE I", "STAT").words
    assert do(dialogue, "STAT /") == Forward(Command("STAT", b"/"), Needs.PATH)


def test_a_user_named_in_any_bytes_cannot_break_a_reply() -> None:
    dialogue = stranger()
    dialogue.decide(Command("USER", b"\xff\r 211 x"))
    dialogue.decide(Command("PASS"))
    dialogue.logged_in(b"/", FACTS)
    assert reply_to(dialogue, "STAT").encode().count(b"\r") == 3


@pytest.mark.parametrize("stage", list(Stage))
def test_quit_says_goodbye_at_every_stage(stage: Stage) -> None:
    dialogue = guest()
    dialogue.stage = stage
    assert reply_to(dialogue, "QUIT").code == 221


def test_abor_without_a_transfer_closes_the_data_port_and_has_one_reply() -> None:
    action = do(guest(), "PASV", "ABOR")
    assert isinstance(action, DropData)
    assert action.reply.lines == (b"226 Nothing left to abort.",)


@pytest.mark.parametrize("verb", ["PBSZ", "PROT", "AUTH", "CCC", "MIC", "CONF", "ENC", "LANG"])
def test_protection_and_language_are_refused_at_every_stage(verb: str) -> None:
    for dialogue in (stranger(), guest()):
        assert reply_to(dialogue, f"{verb} P").code in (502, 504, 533)


# Type, structure, mode, restart.


@pytest.mark.parametrize(
    ("line", "type"),
    [("I", b"I"), ("i", b"I"), ("L 8", b"I"), ("L8", b"I"), ("A", b"A"), ("a n", b"A")],
)
def test_a_type_is_believed_and_told_to_the_server_only_when_needed(line: str, type: bytes) -> None:
    dialogue = guest()
    assert reply_to(dialogue, f"TYPE {line}").code == 200
    assert dialogue.state.type == type


@pytest.mark.parametrize("line", ["TYPE E", "TYPE A T", "TYPE L 36", "STRU R", "STRU P", "MODE B"])
def test_what_cannot_be_carried_is_refused_and_changes_nothing(line: str) -> None:
    dialogue = guest()
    assert reply_to(dialogue, "TYPE I", line).code == 504
    assert dialogue.state == State(b"/home", BINARY)


def test_stream_mode_and_file_structure_are_what_there_is() -> None:
    assert reply_to(guest(), "MODE s").code == 200
    assert reply_to(guest(), "STRU f").code == 200


@pytest.mark.parametrize("verb", ["RETR", "STOR", "APPE"])
def test_a_restart_is_held_back_for_its_transfer_whatever_comes_between(verb: str) -> None:
    dialogue = guest()
    job = do(dialogue, "REST 0100", "PASV", "TYPE I", "SIZE a", "NOOP", f"{verb} a")
    assert isinstance(job, Transfer)
    assert job.restart == b"100"


def test_a_restart_holds_for_one_transfer() -> None:
    dialogue = guest()
    do(dialogue, "REST 100", "RETR a")
    job = do(dialogue, "RETR a")
    assert isinstance(job, Transfer)
    assert job.restart is None


def test_a_restart_at_0_is_none() -> None:
    job = do(guest(), "REST 1", "REST 0", "RETR a")
    assert isinstance(job, Transfer)
    assert job.restart is None


def test_a_listing_has_no_restart_and_uses_one_up() -> None:
    dialogue = guest()
    for line in ("LIST", "RETR a"):
        job = do(dialogue, "REST 5", line) if line == "LIST" else do(dialogue, line)
        assert isinstance(job, Transfer)
        assert job.restart is None


@pytest.mark.parametrize("argument", ["-1", "1.5", "x", " ", "0x10", "1 2", "1" * 21])
def test_a_restart_that_is_no_number_leaves_the_one_before(argument: str) -> None:
    dialogue = guest()
    assert reply_to(dialogue, "REST 7", f"REST {argument}").code == 501
    job = do(dialogue, "RETR a")
    assert isinstance(job, Transfer)
    assert job.restart == b"7"
