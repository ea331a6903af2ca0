"""One client's dialogue from greeting to login, and back to the greeting."""

from __future__ import annotations

import pytest

from proxy.ftp.action import (
    Forward,
    Login,
    Name,
    Pin,
    Transfer,
)
from proxy.ftp.command import COMMANDS, Command, Direction, Treatment
from proxy.ftp.dialogue import ALLOWED, BEFORE_LOGIN, Stage
from proxy.ftp.reply import Refused
from proxy.ftp.virtual import BINARY, State
from tests.support.dialogues import FACTS, do, guest, reply_to, stranger


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
        if rule.treatment not in ALLOWED[Stage.GREETED] or (
            rule.treatment is Treatment.LOCAL and verb not in BEFORE_LOGIN
        ):
            with pytest.raises(Refused) as caught:
                dialogue.decide(Command(verb, b"1"))
            assert caught.value.reply.code == 530, verb


def test_a_second_user_gives_back_what_the_first_one_held() -> None:
    dialogue = guest()
    assert isinstance(do(dialogue, "USER bob"), Name)
    assert not dialogue.is_logged_in
    assert reply_to(dialogue, "PWD").code == 530


def test_the_server_that_was_chosen_says_by_which_name_it_knows_the_user() -> None:
    dialogue = stranger()
    do(dialogue, "USER alice@ftp2")
    dialogue.known_as(b"alice", frozenset({"UTIME"}))
    assert do(dialogue, "PASS secret") == Login(b"alice", b"secret")
    dialogue.logged_in(b"/", FACTS)
    assert isinstance(do(dialogue, "SITE UTIME x"), Forward)
    assert isinstance(do(dialogue, "SITE CHMOD 644 x"), Pin)


def test_a_second_user_leaves_the_transfer_parameters_unchanged() -> None:
    dialogue = guest()
    do(dialogue, "TYPE I", "OPTS UTF8 ON", "USER bob", "PASS other")
    dialogue.logged_in(b"/bob", FACTS)
    assert dialogue.state == State(b"/bob", BINARY, {b"UTF8": b"ON"})


def test_rein_resets_type_directory_options_restart_and_rename_and_stays_here() -> None:
    dialogue = guest()
    do(dialogue, "TYPE I", "OPTS UTF8 ON", "REST 7", "RNFR a")
    assert reply_to(dialogue, "REIN").code == 220
    assert dialogue.state == State()
    assert not dialogue.is_logged_in
    do(dialogue, "USER alice", "PASS secret")
    dialogue.logged_in(b"/home", FACTS)
    assert reply_to(dialogue, "RNTO b").code == 503
    assert do(dialogue, "RETR a") == Transfer(Command("RETR", b"a"), Direction.DOWNLOAD, None)
