"""One client's dialogue: what is legal now, and what it means."""

from __future__ import annotations

import pytest

from proxy.ftp.action import (
    Action,
    Answer,
    Close,
    DropData,
    Forward,
    Login,
    Move,
    OpenPassive,
    Pin,
    Rename,
    Restart,
    SetActive,
    Transfer,
)
from proxy.ftp.address import Endpoint
from proxy.ftp.command import COMMANDS, Command, Direction, Kind, Needs, parse_command
from proxy.ftp.dialogue import ALLOWED, BEFORE_LOGIN, Dialogue, Stage
from proxy.ftp.facts import ServerFacts
from proxy.ftp.reply import Refused, Reply
from proxy.ftp.virtual import BINARY, State, replay

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
    assert isinstance(action, Answer | Restart | DropData | Close)
    return action.reply


# Logging in.


def test_a_name_alone_asks_nothing_of_the_server() -> None:
    assert reply_to(stranger(), "USER alice").code == 331


def test_user_and_password_are_proven_together() -> None:
    assert do(stranger(), "USER alice", "PASS secret") == Login(b"alice", b"secret")


def test_an_account_is_sent_only_when_the_server_wants_one() -> None:
    dialogue = stranger()
    assert reply_to(dialogue, "ACCT x").code == 503
    do(dialogue, "USER alice", "PASS secret")
    assert reply_to(dialogue, "ACCT x").code == 503
    dialogue.account_wanted()
    assert not dialogue.is_logged_in
    assert do(dialogue, "ACCT x") == Login(b"alice", b"secret", b"x")


def test_a_login_carries_all_that_decides_whose_session_may_be_lent() -> None:
    dialogue = guest()
    assert do(dialogue, "USER bob", "PASS other") == Login(b"bob", b"other")
    dialogue.account_wanted()
    assert do(dialogue, "USER bob", "PASS other") == Login(b"bob", b"other")


def test_host_would_change_the_login_and_is_refused() -> None:
    assert reply_to(stranger(), "HOST ftp.example.com").code == 504


def test_a_password_needs_a_name_and_counts_once() -> None:
    dialogue = stranger()
    assert reply_to(dialogue, "PASS secret").code == 503
    do(dialogue, "USER alice", "PASS wrong")
    dialogue.login_failed()
    assert reply_to(dialogue, "PASS secret").code == 503
    assert dialogue.user == b""


def test_only_logins_and_answers_of_ours_come_before_a_login() -> None:
    for stage in (Stage.GREETED, Stage.NAMED, Stage.CHECKED):
        assert ALLOWED[stage] == ALLOWED[Stage.GREETED]
    for verb, rule in COMMANDS.items():
        dialogue = stranger()
        if rule.kind not in ALLOWED[Stage.GREETED] or (
            rule.kind is Kind.LOCAL and verb not in BEFORE_LOGIN
        ):
            with pytest.raises(Refused) as caught:
                dialogue.decide(Command(verb, b"1"))
            assert caught.value.reply.code == 530, verb


def test_a_second_user_gives_back_what_the_first_one_held() -> None:
    dialogue = guest()
    assert isinstance(do(dialogue, "USER bob"), Restart)
    assert not dialogue.is_logged_in
    assert reply_to(dialogue, "PWD").code == 530
    assert isinstance(do(dialogue, "USER carol"), Answer)


def test_a_second_user_leaves_the_transfer_parameters_unchanged() -> None:
    dialogue = guest()
    do(dialogue, "TYPE I", "OPTS UTF8 ON", "USER bob", "PASS other")
    dialogue.logged_in(b"/bob", FACTS)
    assert dialogue.state == State(b"/bob", BINARY, {b"UTF8": b"ON"})


def test_an_option_set_between_two_logins_is_kept() -> None:
    dialogue = guest()
    do(dialogue, "REIN", "OPTS UTF8 ON", "USER bob", "PASS other")
    dialogue.logged_in(b"/bob", FACTS)
    assert dialogue.state.options == {b"UTF8": b"ON"}


def test_rein_resets_type_directory_options_restart_and_rename_and_stays_here() -> None:
    dialogue = guest()
    do(dialogue, "TYPE I", "OPTS UTF8 ON", "REST 7", "RNFR a")
    dialogue.renaming(Command("RNFR", b"a"))
    assert reply_to(dialogue, "REIN").code == 220
    assert dialogue.state == State()
    assert not dialogue.is_logged_in
    do(dialogue, "USER alice", "PASS secret")
    dialogue.logged_in(b"/home", FACTS)
    assert reply_to(dialogue, "RNTO b").code == 503
    assert do(dialogue, "RETR a") == Transfer(Command("RETR", b"a"), Direction.DOWNLOAD, None)


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
        assert (verb in words) == (rule.kind is not Kind.REFUSED), verb


def test_feat_and_syst_before_a_login_ask_no_server() -> None:
    assert reply_to(stranger(), "FEAT").code == 211
    assert reply_to(stranger(), "SYST").code == 215


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
        action = dialogue.decide(Command(verb, b"P"))
        assert isinstance(action, Answer)
        assert action.reply.code in (502, 504, 533)


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


# Data ports.


def test_pasv_asks_nothing_of_the_server() -> None:
    assert do(guest(), "PASV") == OpenPassive(extended=False)
    assert do(guest(), "EPSV") == OpenPassive(extended=True)


def test_pasv_on_ipv6_is_refused_and_names_epsv() -> None:
    dialogue = stranger("2001:db8::7")
    do(dialogue, "USER alice", "PASS secret")
    dialogue.logged_in(b"/", FACTS)
    reply = reply_to(dialogue, "PASV")
    assert (reply.code, "EPSV" in reply.words) == (502, True)
    assert "(2)" in reply_to(dialogue, "EPSV 1").words
    assert do(dialogue, "EPSV 2") == OpenPassive(extended=True)


def test_epsv_for_the_wrong_protocol_is_answered_522() -> None:
    assert reply_to(guest(), "EPSV 2").code == 522
    assert do(guest(), "EPSV 1") == OpenPassive(extended=True)


@pytest.mark.parametrize("delimiter", ["|", "!", "#", "~"])
def test_an_active_port_may_be_told_either_way_with_any_delimiter(delimiter: str) -> None:
    there = SetActive(Endpoint("192.0.2.7", 40000))
    assert do(guest(), "PORT 192,0,2,7,156,64") == there
    assert do(guest(), delimiter.join(["EPRT ", "1", "192.0.2.7", "40000", ""])) == there


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("PORT 192,0,2,8,156,64", 501),
        ("PORT 192,0,2,7,3,255", 501),
        ("EPRT |1|192.0.2.8|40000|", 501),
        ("EPRT |2|2001:db8::7|40000|", 501),
        ("EPRT |9|192.0.2.7|40000|", 522),
    ],
)
def test_data_goes_neither_to_strangers_nor_to_privileged_ports(line: str, code: int) -> None:
    assert reply_to(guest(), line).code == code


def test_epsv_all_is_agreed_here_and_never_forwarded() -> None:
    assert reply_to(guest(), "EPSV ALL").code == 200


def test_epsv_all_holds_through_failed_transfers_aborts_and_new_logins() -> None:
    dialogue = guest()
    do(dialogue, "EPSV ALL", "EPSV", "RETR missing", "ABOR", "REIN", "USER bob", "PASS other")
    dialogue.login_failed()
    do(dialogue, "USER bob", "PASS other")
    dialogue.logged_in(b"/", FACTS)
    for line in ("PASV", "PORT 192,0,2,7,156,64", "EPRT |1|192.0.2.7|40000|"):
        assert reply_to(dialogue, line).code == 501
    assert reply_to(dialogue, "LPRT 1").code == 502
    assert do(dialogue, "EPSV") == OpenPassive(extended=True)


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


def test_rnfr_is_asked_at_once_and_told_again_right_before_rnto() -> None:
    dialogue = guest()
    source, target = Command("RNFR", b"a"), Command("RNTO", b"b")
    assert do(dialogue, "RNFR a") == Forward(source, Needs.PATH)
    dialogue.renaming(source)
    assert do(dialogue, "NOOP", "RNTO b") == Rename(source, target)
    assert reply_to(dialogue, "RNTO b").code == 503


@pytest.mark.parametrize("between", ["PWD", "CWD x", "RNFR missing", "QUIT", "TYPE E", "MODE Z"])
def test_anything_but_noop_between_rnfr_and_rnto_ends_the_rename(between: str) -> None:
    dialogue = guest()
    dialogue.renaming(Command("RNFR", b"a"))
    try:
        do(dialogue, between)
    except Refused as refused:
        assert refused.reply.code == 504
    assert reply_to(dialogue, "RNTO b").code == 503


# Options and words of the server's own.


def test_utf8_is_remembered_and_told_to_the_server_with_the_next_name() -> None:
    dialogue = guest()
    assert reply_to(dialogue, "OPTS utf8 on").text == b"UTF8 is on."
    assert dialogue.state.options == {b"UTF8": b"ON"}
    assert reply_to(dialogue, "OPTS UTF8 off").text == b"UTF8 is off."
    assert reply_to(dialogue, "OPTS UTF8").text == b"UTF8 is on."


def test_utf8_is_not_promised_for_a_server_that_does_not_know_it() -> None:
    assert reply_to(guest(facts=ServerFacts()), "OPTS UTF8 ON").code == 501
    assert reply_to(stranger(), "OPTS UTF8 ON").code == 501


def test_other_options_need_a_login() -> None:
    assert reply_to(stranger(), "OPTS MLST size;").code == 530
    assert reply_to(stranger(), "OPTS HASH MD5").code == 530


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
