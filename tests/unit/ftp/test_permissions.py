from __future__ import annotations

import pytest

from proxy.ftp.command import COMMANDS, Command, Treatment
from proxy.ftp.permissions import READ_ONLY, Permissions, is_anonymous

READING = (
    *("NOOP", "TYPE", "REST", "FEAT", "PWD", "PASV", "EPSV", "PORT", "EPRT", "CWD", "CDUP"),
    *("RETR", "LIST", "NLST", "MLSD", "SIZE", "MDTM", "MLST", "STAT", "AVBL"),
)
CHANGING = (
    *("STOR", "APPE", "STOU", "DELE", "MKD", "RMD", "XMKD", "XRMD", "RNFR", "RNTO"),
    *("MFMT", "MFCT", "MFF", "SITE", "XFROB"),
)


@pytest.mark.parametrize("verb", READING)
def test_a_read_only_client_may_look(verb: str) -> None:
    assert READ_ONLY.forbids(Command(verb, b"x")) is None


@pytest.mark.parametrize("verb", CHANGING)
def test_a_read_only_client_may_change_nothing(verb: str) -> None:
    assert READ_ONLY.forbids(Command(verb, b"x")) == "read_only"


def test_every_verb_that_is_known_is_judged_above() -> None:
    judged = {*READING, *CHANGING}
    for verb, rule in COMMANDS.items():
        if rule.treatment in (
            Treatment.FORWARD,
            Treatment.RENAME,
            Treatment.TRANSFER,
            Treatment.PIN,
        ):
            assert verb in judged, verb


def test_without_a_word_everything_is_allowed() -> None:
    assert all(Permissions().forbids(Command(verb)) is None for verb in (*READING, *CHANGING))


def test_a_denied_verb_is_forbidden_and_no_other() -> None:
    rules = Permissions(denied=frozenset({"DELE"}))
    assert rules.forbids(Command("DELE", b"x")) == "deny"
    assert rules.forbids(Command("STOR", b"x")) is None


def test_only_allowed_verbs_may_be_used() -> None:
    rules = Permissions(allowed=frozenset({"RETR", "PASV"}))
    assert rules.forbids(Command("RETR", b"x")) is None
    assert rules.forbids(Command("LIST")) == "allow"
    assert rules.forbids(Command("XFROB")) == "allow"


@pytest.mark.parametrize("verb", ["USER", "PASS", "ACCT", "QUIT", "ABOR"])
def test_nobody_is_kept_from_logging_in_and_leaving(verb: str) -> None:
    rules = Permissions(denied=frozenset({verb}), allowed=frozenset({"RETR"}))
    assert rules.forbids(Command(verb, b"x")) is None


@pytest.mark.parametrize(
    ("user", "expected"),
    [(b"anonymous", True), (b"FTP", True), (b" ftp ", True), (b"ftpuser", False), (b"", False)],
)
def test_anonymous_is_known_by_two_names(user: bytes, expected: bool) -> None:
    assert is_anonymous(user) == expected
