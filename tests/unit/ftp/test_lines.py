"""Command lines: where they end, what Telnet leaves of them, what is not obeyed."""

from __future__ import annotations

import pytest

from proxy.ftp.lines import MAX_LINE, LineReader, Malformed, encode_line

IAC_IP, IAC_DM, IAC_AYT = b"\xff\xf4", b"\xff\xf2", b"\xff\xf6"
DO, DONT, WILL, WONT = b"\xff\xfd", b"\xff\xfe", b"\xff\xfb", b"\xff\xfc"


def read(*feeds: bytes) -> list[bytes | Malformed]:
    reader = LineReader()
    return [line for data in feeds for line in reader.feed(data)]


def test_crlf_ends_a_line() -> None:
    assert read(b"NOOP\r\n") == [b"NOOP"]


def test_a_bare_lf_ends_a_line() -> None:
    assert read(b"NOOP\nUSER alice\n") == [b"NOOP", b"USER alice"]


def test_pipelined_commands_come_out_in_their_order() -> None:
    assert read(b"PASV\r\nRETR a\r\nQUIT\r\n") == [b"PASV", b"RETR a", b"QUIT"]


def test_an_empty_line_is_a_line() -> None:
    assert read(b"\r\n", b"\n") == [b"", b""]


def test_cr_cr_lf_ends_a_line() -> None:
    assert read(b"USER alice\r\r\n", b"\xe9\r\r\n") == [b"USER alice", b"\xe9"]


def test_blanks_of_a_file_name_stay() -> None:
    assert read(b"RETR  a \r\n") == [b"RETR  a "]


def test_paths_keep_their_bytes_in_any_encoding() -> None:
    assert read("RETR gr\u00fcn\r\n".encode()) == ["RETR gr\u00fcn".encode()]
    assert read("RETR gr\u00fcn\r\n".encode("latin-1")) == ["RETR gr\u00fcn".encode("latin-1")]


def test_a_line_split_over_feeds_is_one_line() -> None:
    assert read(b"RE", b"TR a", b"\r", b"\nNO", b"OP\n") == [b"RETR a", b"NOOP"]


def test_an_empty_feed_changes_nothing() -> None:
    assert read(b"", b"NO", b"", b"OP\r\n", b"") == [b"NOOP"]


def test_pending_tells_of_an_unfinished_line() -> None:
    reader = LineReader()
    pending = [reader.pending]
    for data in (b"NOO", b"P\r\n", b"\r", b"\n", b"\xff", b"\xf4"):
        reader.feed(data)
        pending.append(reader.pending)
    assert pending == [False, True, False, True, False, True, False]


def test_cr_nul_inside_a_path_is_cr() -> None:
    assert read(b"RETR a\r\0b\r\n") == [b"RETR a\rb"]


def test_cr_nul_at_the_end_of_a_path_is_cr() -> None:
    assert read(b"RETR a\r\0\r\n") == [b"RETR a\r"]


def test_a_bare_cr_inside_a_line_does_not_end_it() -> None:
    assert read(b"RETR a\rDELE b\r\n") == [b"RETR a\rDELE b"]


def test_a_line_with_nuls_is_malformed_once() -> None:
    assert read(b"RETR \0a\0b\r\nNOOP\r\n") == [Malformed.NUL, b"NOOP"]


def test_the_longest_line_is_obeyed() -> None:
    line = b"X" * (MAX_LINE - 1) + b"\r\n"
    assert read(line) == [line[:-2]]
    assert read(*(line[i : i + 1000] for i in range(0, len(line), 1000))) == [line[:-2]]


def test_a_longer_line_is_malformed_once_and_the_next_one_obeyed() -> None:
    assert read(b"X" * MAX_LINE + b"\r\nNOOP\r\n") == [Malformed.TOO_LONG, b"NOOP"]
    assert read(b"X" * MAX_LINE + b"\r\n", b"NOOP\r\n") == [Malformed.TOO_LONG, b"NOOP"]


def test_a_line_that_never_ends_holds_bounded_memory_and_is_answered_at_its_lf() -> None:
    reader = LineReader()
    for _ in range(100):
        assert reader.feed(b"X" * 5000) == []
        assert len(reader._partial) <= MAX_LINE
        assert reader.pending
    assert reader.feed(b"\r\nNOOP\r\n") == [Malformed.TOO_LONG, b"NOOP"]
    assert not reader.pending


def test_a_long_line_with_a_nul_is_too_long() -> None:
    assert read(b"\0" * (MAX_LINE + 1), b"\n") == [Malformed.TOO_LONG]


def test_ip_and_synch_before_abor_are_removed() -> None:
    assert read(IAC_IP + IAC_DM + b"ABOR\r\n") == [b"ABOR"]


def test_an_urgent_byte_that_went_another_way_leaves_abor() -> None:
    assert read(IAC_IP + b"\xf2ABOR\r\n") == [b"ABOR"]  # the second IAC was the urgent byte
    assert read(IAC_IP + b"\xffABOR\r\n") == [b"ABOR"]  # the DM was
    assert read(IAC_IP, b"\xf2ABOR\r\n") == [b"ABOR"]


def test_telnet_commands_inside_a_line_are_removed() -> None:
    assert read(b"NO" + IAC_AYT + b"OP\r" + IAC_DM + b"\n") == [b"NOOP"]


def test_iac_iac_inside_a_path_is_one_0xff() -> None:
    assert read(b"RETR a\xff\xffb\r\n") == [b"RETR a\xffb"]
    assert read(b"RETR a\xff", b"\xffb\r\n") == [b"RETR a\xffb"]


def test_0xff_that_nobody_doubled_stays_in_a_latin_1_name() -> None:
    assert read(b"RETR a\xffb\xff\r\n") == [b"RETR a\xffb\xff"]


def test_do_is_answered_wont_and_will_is_answered_dont() -> None:
    reader = LineReader()
    assert reader.feed(DO + b"\x06" + WILL + b"\x01" + b"NOOP\r\n") == [b"NOOP"]
    assert reader.answers() == WONT + b"\x06" + DONT + b"\x01"
    assert reader.answers() == b""


def test_dont_and_wont_are_not_answered() -> None:
    reader = LineReader()
    assert reader.feed(DONT + b"\x06" + WONT + b"\x01" + b"NOOP\r\n") == [b"NOOP"]
    assert reader.answers() == b""


def test_a_telnet_command_split_over_feeds_works() -> None:
    reader = LineReader()
    assert [reader.feed(data) for data in (b"\xff", b"\xfd", b"\x06NOOP\r\n")] == [
        [],
        [],
        [b"NOOP"],
    ]
    assert reader.answers() == WONT + b"\x06"


def test_answers_are_bounded() -> None:
    reader = LineReader()
    reader.feed((DO + b"\x06") * 100_000)
    assert 0 < len(reader.answers()) <= 192
    reader.feed(DO + b"\x07")
    assert reader.answers() == WONT + b"\x07"


def test_telnet_commands_do_not_count_towards_the_longest_line() -> None:
    assert read(IAC_AYT * MAX_LINE + b"NOOP\r\n") == [b"NOOP"]


def test_a_line_for_a_server_ends_with_crlf() -> None:
    assert encode_line(b"RETR a") == b"RETR a\r\n"


def test_a_cr_for_a_server_is_followed_by_nul_and_0xff_goes_as_it_is() -> None:
    assert encode_line(b"RETR a\rDELE b\xff") == b"RETR a\r\0DELE b\xff\r\n"


@pytest.mark.parametrize("line", [b"RETR a\nDELE b", b"RETR a\r\nDELE b", b"RETR a\0"])
def test_an_lf_or_a_nul_is_never_sent_to_a_server(line: bytes) -> None:
    with pytest.raises(ValueError, match="one line"):
        encode_line(line)


def test_what_is_sent_to_a_server_reads_back_as_the_same_line() -> None:
    line = b"RETR a\rb\xffc\r"
    assert read(encode_line(line)) == [line]
