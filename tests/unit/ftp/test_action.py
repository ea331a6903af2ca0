"""Actions: plain values, one for each thing that can be asked to be done."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args

from proxy.ftp.action import Action, Login, Transfer
from proxy.ftp.command import Command, Direction


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
