"""Replies: made safe, read byte for byte, ended where RFC 959 says."""

from __future__ import annotations

import pytest

from proxy.ftp.lines import MAX_LINE
from proxy.ftp.reply import MAX_REPLY, MAX_WORDS, Refused, Reply, ReplyError, ReplyReader


def read(*feeds: bytes) -> list[Reply]:
    reader = ReplyReader()
    return [reply for data in feeds for reply in reader.feed(data)]


def test_a_reply_of_one_text_is_one_line() -> None:
    assert Reply.of(226, "Done.").encode() == b"226 Done.\r\n"


def test_a_reply_of_several_texts_ends_at_the_code_and_a_blank() -> None:
    reply = Reply.of(211, "First", "226 middle", "last")
    assert reply.encode() == b"211-First\r\n 226 middle\r\n211 last\r\n"
    assert read(reply.encode()) == [reply]


def test_a_reply_without_text_keeps_its_blank() -> None:
    assert Reply.of(200).encode() == b"200 \r\n"


def test_text_can_never_make_a_second_line() -> None:
    reply = Reply.of(550, "a\r\n226 b", "c\nd\te\0f")
    assert reply.encode() == b"550-a  226 b\r\n550 c d e f\r\n"


def test_text_that_is_not_printable_ascii_is_replaced() -> None:
    assert Reply.of(550, "gr\u00fcn\x7f\udcff\u2028").lines == (b"550 gr?n???",)


def test_a_text_is_cut_where_clients_would_stumble() -> None:
    assert len(Reply.of(550, "x" * 10_000).lines[0]) == MAX_WORDS + 4


def test_text_is_the_last_line_without_its_code() -> None:
    assert Reply.of(230, "Hello", "Logged in").text == b"Logged in"
    assert Reply(226, (b"226",)).text == b""


def test_words_join_all_text_as_printable_ascii() -> None:
    reply = Reply(220, (b"220-Caf\xe9", b"220-\ttwo ", b"", b"  550 three", b"220", b"220 four"))
    assert reply.words == "Caf? two 550 three four"


def test_words_are_bounded() -> None:
    reply = Reply(211, (b"211-x", *[b"y" * 8000] * 130, b"211 z"))
    assert len(reply.words) == MAX_WORDS


@pytest.mark.parametrize("code", [100, 125, 150, 200, 226, 331, 350, 421, 425, 500, 553])
def test_the_first_digit_says_what_a_reply_is(code: int) -> None:
    reply = Reply.of(code, "text")
    first = code // 100
    assert reply.is_preliminary == (first == 1)
    assert reply.is_success == (first == 2)
    assert reply.is_intermediate == (first == 3)
    assert reply.is_refusal == (first in (4, 5))


def test_a_refusal_carries_its_reply_and_tells_its_words() -> None:
    refused = Refused(Reply.of(501, "Six numbers."))
    assert refused.reply.code == 501
    assert str(refused) == "Six numbers."


def test_one_line_is_one_reply() -> None:
    assert read(b"226 Done.\r\n") == [Reply(226, (b"226 Done.",))]


def test_a_bare_lf_ends_a_reply_line() -> None:
    assert read(b"150 Opening.\n226 Done.\n") == [Reply.of(150, "Opening."), Reply.of(226, "Done.")]


def test_two_replies_in_one_feed_come_in_their_order() -> None:
    assert [reply.code for reply in read(b"150 a\r\n226 b\r\n")] == [150, 226]


def test_a_reply_split_over_feeds_is_one_reply() -> None:
    assert read(b"22", b"6 Do", b"ne.\r", b"\n") == [Reply.of(226, "Done.")]


@pytest.mark.parametrize(
    "inner",
    [
        b"226 another code and a blank",
        b"123 numbers",
        b"211-the same code and a hyphen",
        b"211the same code and no blank",
        b"2119 longer number",
        b"no leading blank",
        b" 211 behind a blank",
        b"",
        b"211-",
        b"\xff\xfe\0 any \r bytes",
    ],
)
def test_inner_lines_pass_unchanged_and_do_not_end_a_reply(inner: bytes) -> None:
    wire = b"211-First\r\n" + inner + b"\r\n211 End\r\n"
    replies = read(wire)
    assert replies == [Reply(211, (b"211-First", inner, b"211 End"))]
    assert replies[0].encode() == wire


def test_a_last_line_of_only_three_digits_ends_a_reply() -> None:
    assert read(b"226-Done\r\n226\r\n") == [Reply(226, (b"226-Done", b"226"))]


def test_a_reply_of_only_three_digits_is_one() -> None:
    assert read(b"226\r\n") == [Reply(226, (b"226",))]


def test_blank_lines_between_replies_say_nothing() -> None:
    assert read(b"\r\n\n150 a\r\n", b"\r\n", b"226 b\r\n") == [
        Reply.of(150, "a"),
        Reply.of(226, "b"),
    ]


def test_pending_tells_of_an_unfinished_reply() -> None:
    reader = ReplyReader()
    pending = [reader.pending]
    for data in (b"220-Welcome\r\n", b"220 ", b"ready\r\n"):
        reader.feed(data)
        pending.append(reader.pending)
    assert pending == [False, True, True, False]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"hello\r\n",
        b"22 short\r\n",
        b"2260 long\r\n",
        b"226\ttab\r\n",
        b"026 zero\r\n",
        b"631 protected\r\n",
        b"\xb2\xb2\xb6 superscripts\r\n",
        b" 226 blank first\r\n",
        b"SSH-2.0-OpenSSH\r\n",
    ],
)
def test_what_is_no_reply_is_an_error(nonsense: bytes) -> None:
    with pytest.raises(ReplyError, match="not a reply"):
        read(nonsense)


def test_an_error_shows_what_was_said_as_printable_ascii() -> None:
    with pytest.raises(ReplyError) as caught:
        read(b"\x1b[2J\xe9" + b"x" * 1000 + b"\r\n")
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 150


def test_replies_before_nonsense_are_not_lost_and_the_error_is_told_at_once() -> None:
    reader = ReplyReader()
    assert reader.feed(b"226 Done.\r\nnonsense\r\n220 never\r\n") == [Reply.of(226, "Done.")]
    assert isinstance(reader.error, ReplyError)
    assert not reader.pending
    for data in (b"", b"226 too late\r\n"):
        with pytest.raises(ReplyError, match="nonsense"):
            reader.feed(data)


def test_no_error_is_told_before_the_server_talks_nonsense() -> None:
    reader = ReplyReader()
    reader.feed(b"226 Done.\r\n226-")
    assert reader.error is None


def test_a_reply_line_of_the_longest_kind_passes() -> None:
    line = b"226 " + b"x" * (MAX_LINE - 5)
    assert read(line + b"\r\n") == [Reply(226, (line,))]


def test_a_longer_reply_line_is_an_error_even_before_it_ends() -> None:
    with pytest.raises(ReplyError, match="line of more than"):
        read(b"226 ", b"x" * MAX_LINE)
    with pytest.raises(ReplyError, match="line of more than"):
        read(b"226 " + b"x" * MAX_LINE + b"\r\n")


def test_a_reply_of_the_largest_kind_passes() -> None:
    inner = b"x" * 1022 + b"\r\n"
    first, last = b"211-" + b"x" * 506 + b"\r\n", b"211 " + b"x" * 506 + b"\r\n"
    wire = first + inner * 1023 + last
    assert len(wire) == MAX_REPLY
    assert [reply.encode() for reply in read(wire)] == [wire]


def test_a_larger_reply_is_an_error() -> None:
    reader = ReplyReader()
    reader.feed(b"211-First\r\n")
    inner = b"x" * 1000 + b"\r\n"
    for _ in range(MAX_REPLY // len(inner)):
        assert reader.feed(inner) == []
    with pytest.raises(ReplyError, match="reply of more than"):
        reader.feed(inner)


def test_the_size_is_counted_for_each_reply_anew() -> None:
    reader = ReplyReader()
    wire = b"211-First\r\n" + (b"x" * 1000 + b"\r\n") * 600 + b"211 End\r\n"
    assert [len(reader.feed(wire)) for _ in range(4)] == [1, 1, 1, 1]
