"""The state a client believes in: what is replayed, and what a 257 tells."""

from __future__ import annotations

import pytest

from proxy.ftp.command import Needs
from proxy.ftp.lines import encode_line
from proxy.ftp.reply import Reply
from proxy.ftp.virtual import BINARY, UNKNOWN, State, directory_reply, parse_directory, replay

DEFAULTS = {b"MLST": b"type;size;"}


def lines(actual: State, wanted: State, needs: Needs = Needs.ALL) -> list[bytes]:
    return [step.line for step in replay(actual, wanted, needs, DEFAULTS)]


def test_a_fresh_login_is_in_ascii_and_without_options() -> None:
    assert State(b"/") == State(b"/", b"A", {})


def test_a_copy_lives_its_own_life() -> None:
    state = State(b"/", BINARY, {b"UTF8": b"ON"})
    copy = state.copy()
    assert copy == state
    copy.options[b"UTF8"] = b"OFF"
    assert state.options == {b"UTF8": b"ON"}


def test_nothing_is_replayed_where_nothing_differs() -> None:
    state = State(b"/a", BINARY, {b"UTF8": b"ON"})
    assert lines(state, state.copy()) == []


def test_the_directory_comes_last_because_its_name_means_something_only_in_its_options() -> None:
    wanted = State(b"/a b ", BINARY, {b"UTF8": b"ON", b"MLST": b"size;"})
    assert lines(State(b"/"), wanted) == [
        b"OPTS MLST size;",
        b"OPTS UTF8 ON",
        b"TYPE I",
        b"CWD /a b ",
    ]


def test_only_what_is_needed_is_replayed() -> None:
    actual, wanted = State(b"/"), State(b"/a", BINARY, {b"UTF8": b"ON"})
    assert lines(actual, wanted, Needs.NOTHING) == []
    assert lines(actual, wanted, Needs.TYPE) == [b"TYPE I"]
    assert lines(actual, wanted, Needs.OPTIONS) == [b"OPTS UTF8 ON"]
    assert lines(actual, wanted, Needs.PATH) == [b"OPTS UTF8 ON", b"CWD /a"]


def test_an_option_of_another_client_is_taken_back() -> None:
    actual = State(b"/", options={b"UTF8": b"ON", b"MLST": b"size;", b"HASH": b"MD5"})
    assert lines(actual, State(b"/")) == [b"OPTS MLST type;size;"]


def test_an_option_without_a_known_default_stays_as_it_was_set() -> None:
    assert lines(State(b"/", options={b"UTF8": b"ON"}), State(b"/")) == []


def test_a_directory_that_nobody_knows_cannot_be_replayed() -> None:
    assert lines(State(b"/a"), State(None)) == []


def test_a_session_that_stands_nobody_knows_where_is_moved() -> None:
    assert lines(State(None), State(b"/")) == [b"CWD /"]


def test_only_an_option_may_be_refused_without_harm() -> None:
    steps = replay(State(b"/"), State(b"/a", BINARY, {b"UTF8": b"ON"}), Needs.ALL, DEFAULTS)
    assert [step.may_fail for step in steps] == [True, False, False]


def test_a_replay_broken_off_is_begun_again_whatever_is_wanted_next() -> None:
    home, away = State(b"/"), State(b"/a", BINARY, {b"MLST": b"size;"})
    for step in replay(home, away, Needs.ALL, DEFAULTS):
        actual = home.copy()
        step.doubt(actual)
        for wanted in (home, away):
            assert step.line.split()[0] in b" ".join(lines(actual, wanted))
            assert UNKNOWN not in lines(actual, wanted)


def test_a_replayed_argument_can_never_become_a_second_command() -> None:
    wanted = State(b"/a\rDELE b\xff", options={b"MLST": b"size;\rDELE b"})
    for line in lines(State(b"/"), wanted):
        sent = encode_line(line)
        assert sent.count(b"\n") == 1
        assert b"\r" not in sent[:-2].replace(b"\r\0", b"")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b'"/" is the current directory', b"/"),
        (b'"/a ""b"" c"', b'/a "b" c'),
        (b'"/gr\xfc\xdf " is where you are', b"/gr\xfc\xdf "),
        (b'Now in "/pub"', b"/pub"),
        (b'"/"""', b'/"'),
        (b"/pub is the current directory", None),
        (b'"/pub', None),
        (b'""', None),
        (b"\"'SYS1.PROD.'\" is the working directory name prefix.", None),
        (b'"DISK$USER:[ALICE]"', None),
        (b'"QGPL" is current library.', None),
        (b'"C:\\inetpub"', None),
    ],
)
def test_a_directory_is_what_stands_between_the_quotes(text: bytes, path: bytes | None) -> None:
    assert parse_directory(Reply(257, (b"257 " + text,))) == path


def test_only_a_257_tells_a_directory() -> None:
    assert parse_directory(Reply(250, (b'250 "/pub"',))) is None


@pytest.mark.parametrize("path", [b"/", b'/a "b" c', b"/gr\xfc\xdf", b'/"', b"/a b "])
def test_a_directory_told_from_memory_reads_as_it_was(path: bytes) -> None:
    assert parse_directory(directory_reply(path)) == path


def test_a_cr_in_a_directory_travels_as_cr_nul_both_ways() -> None:
    reply = Reply(257, (b'257 "/a\r\0b" is here.',))
    assert parse_directory(reply) == b"/a\rb"
    assert directory_reply(b"/a\rb").lines[0].startswith(b'257 "/a\r\0b"')


def test_a_directory_with_a_nul_cannot_be_replayed() -> None:
    assert parse_directory(Reply(257, (b'257 "/a\0b" is here.',))) is None
