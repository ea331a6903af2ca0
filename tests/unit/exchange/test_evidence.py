from __future__ import annotations

import pytest

from proxy.exchange.evidence import Identity, Unsure, found, told_size
from proxy.ftp.reply import Reply

DATE = Reply.of(213, "20260101000000")
ABSENT = Reply.of(550, "No such file.")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([Reply.of(213, "10"), DATE], Identity(10, b"20260101000000")),
        ([Reply.of(213, "many"), DATE], Unsure.UNKNOWN),
        ([Reply.of(213, "10"), Reply.of(502, "What?")], Unsure.UNKNOWN),
        ([Reply.of(502, "What?"), DATE], Unsure.UNKNOWN),
        ([ABSENT, ABSENT], Unsure.ABSENT),
        ([], Unsure.UNKNOWN),
    ],
)
def test_only_size_and_date_together_tell_a_file(
    answers: list[Reply], expected: Identity | Unsure
) -> None:
    assert found(answers) == expected


@pytest.mark.parametrize(
    ("answer", "size"), [(Reply.of(213, " 7 "), 7), (Reply.of(213, "-7"), None), (ABSENT, None)]
)
def test_a_size_is_a_number_behind_213(answer: Reply, size: int | None) -> None:
    assert told_size(answer) == size
