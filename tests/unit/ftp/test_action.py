"""Actions: plain values, one for each thing that can be asked to be done."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import get_args

import pytest

from proxy.ftp.action import Action, Answer, Login, Transfer
from proxy.ftp.command import Command, Direction
from proxy.ftp.reply import Reply


def test_an_action_never_changes() -> None:
    action = Answer(Reply.of(200, "Here."))
    with pytest.raises(FrozenInstanceError):
        action.reply = Reply.of(500, "Not here.")  # type: ignore[misc]


def test_actions_that_ask_the_same_are_equal() -> None:
    job = Transfer(Command("RETR", b"a"), Direction.DOWNLOAD, None)
    assert job == Transfer(Command("RETR", b"a"), Direction.DOWNLOAD, None)
    assert job != Transfer(Command("RETR", b"a"), Direction.DOWNLOAD, b"1")


def test_a_login_has_no_account_unless_the_server_wanted_one() -> None:
    assert Login(b"alice", b"secret").account is None


def test_every_action_says_what_it_asks() -> None:
    for action in get_args(Action):
        assert fields(action), action
        assert action.__doc__, action
