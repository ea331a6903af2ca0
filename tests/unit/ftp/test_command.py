"""Commands: read from a line, and treated by one table."""

from __future__ import annotations

import pytest

from proxy.ftp.command import (
    COMMANDS,
    LONGEST_VERB,
    UNKNOWN,
    Argument,
    Command,
    Direction,
    Needs,
    Rule,
    Treatment,
    parse_command,
)
from proxy.ftp.facts import ServerFacts, features_reply
from proxy.ftp.lines import LineReader, encode_line
from proxy.ftp.reply import Refused


def code_of(line: bytes) -> int:
    with pytest.raises(Refused) as caught:
        parse_command(line)
    return caught.value.reply.code


def test_a_verb_counts_in_any_case() -> None:
    assert parse_command(b"rEtR a.bin") == Command("RETR", b"a.bin")


def test_a_name_keeps_its_blanks_and_its_bytes() -> None:
    assert parse_command(b"RETR  gr\xfc\xdf \xff").argument == b" gr\xfc\xdf \xff"


def test_a_command_goes_on_as_it_came() -> None:
    for line in (b"RETR  a ", b"SITE CHMOD 600 a", b"NOOP", b"CWD a\rb"):
        assert parse_command(line).line == line


@pytest.mark.parametrize(
    "line", [b"", b" ", b" RETR a", b"RETR\ta", b"RE-TR a", b"R\xc4TR a", b"A" * (LONGEST_VERB + 1)]
)
def test_what_is_no_verb_is_answered_500(line: bytes) -> None:
    assert code_of(line) == 500


@pytest.mark.parametrize("line", [b"RETR", b"RETR ", b"USER", b"PORT", b"REST", b"SITE", b"RNTO"])
def test_a_missing_argument_is_answered_501(line: bytes) -> None:
    assert code_of(line) == 501


@pytest.mark.parametrize("verb", ["PASV", "CDUP", "XCUP", "ABOR", "REIN"])
def test_an_argument_too_many_is_answered_501_and_blanks_are_forgiven(verb: str) -> None:
    assert code_of(verb.encode() + b" x") == 501
    assert parse_command(verb.encode() + b"  ") == Command(verb)


def test_an_empty_password_is_one() -> None:
    assert parse_command(b"PASS ") == parse_command(b"PASS") == Command("PASS")


def test_an_unknown_verb_pins_because_nobody_knows_what_it_leaves_behind() -> None:
    assert parse_command(b"XCRC a").rule is UNKNOWN
    assert Rule(Treatment.PIN, Argument.OPTIONAL, Needs.ALL) == UNKNOWN


def test_every_transfer_has_a_direction_and_needs_the_whole_state() -> None:
    for verb, rule in COMMANDS.items():
        assert (rule.direction is not None) == (rule.treatment is Treatment.TRANSFER), verb
        if rule.treatment is Treatment.TRANSFER:
            assert rule.needs is Needs.ALL, verb


def test_bytes_flow_down_in_downloads_and_listings() -> None:
    assert [way for way in Direction if way.is_down] == [Direction.DOWNLOAD, Direction.LISTING]


def test_every_verb_that_is_not_carried_has_its_answer() -> None:
    for verb, rule in COMMANDS.items():
        assert (rule.refusal is not None) == (rule.treatment is Treatment.REFUSED), verb
        assert rule.refusal is None or rule.refusal.code in (502, 504, 533), verb


@pytest.mark.parametrize("verb", ["LPRT", "LPSV", "APSV", "SPSV", "CPSV", "ESTA", "ESTP"])
def test_outdated_ways_to_a_data_connection_are_refused(verb: str) -> None:
    assert COMMANDS[verb].treatment is Treatment.REFUSED


@pytest.mark.parametrize("verb", ["AUTH", "PBSZ", "PROT", "SSCN", "CCC", "MIC", "CONF", "ENC"])
def test_no_protection_is_ever_asked_of_a_shared_session(verb: str) -> None:
    assert COMMANDS[verb].treatment in (Treatment.REFUSED, Treatment.SECURITY)


def test_what_feat_hides_is_never_asked_of_the_server() -> None:
    hidden = b"AUTH PBSZ PROT CCC SSCN CPSV PRET MODE HOST LANG LPRT LPSV SPSV ESTA ESTP".split()
    told = features_reply(ServerFacts(tuple(hidden))).encode()
    for verb in hidden:
        assert verb not in told
        assert Command(verb.decode()).rule.treatment in (
            Treatment.REFUSED,
            Treatment.LOCAL,
            Treatment.SECURITY,
        )


def test_size_needs_the_type_and_the_other_facts_only_the_path() -> None:
    assert COMMANDS["SIZE"].needs is Needs.ALL
    for verb in ("MDTM", "MLST", "STAT", "MFMT"):
        assert COMMANDS[verb].treatment is Treatment.FORWARD
        assert COMMANDS[verb].needs is Needs.PATH


def test_whatever_moves_no_data_has_no_direction_and_so_no_budget() -> None:
    for verb in ("SIZE", "MDTM", "MLST", "STAT", "HASH", "PASV", "EPSV"):
        assert Command(verb).rule.direction is None


def test_an_argument_can_never_become_a_second_command() -> None:
    (line,) = LineReader().feed(b"CWD a\r\0DELE b\xff\xff\r\n")
    assert isinstance(line, bytes)
    command = parse_command(line)
    assert command.argument == b"a\rDELE b\xff"
    assert LineReader().feed(encode_line(command.line)) == [line]
