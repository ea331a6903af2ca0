"""Which finding comes first."""

from __future__ import annotations

from proxy.config import Config
from proxy.ops.doctor.diagnosis import diagnose
from proxy.ops.doctor.seen import (
    Attempt,
    Data,
    Door,
    Greeter,
    Greeting,
    Ledger,
    Login,
    Met,
    Names,
    Seen,
)

CONFIG = Config.model_validate({"upstream": {"host": "ftp.example.com"}})
ANSWER = Attempt("10.0.0.1", 21, Met.ANSWER)


def codes(seen: Seen) -> list[str]:
    return [one.cause.code for one in diagnose(CONFIG, seen)]


def test_nothing_seen_is_nothing_found() -> None:
    assert diagnose(CONFIG, Seen()) == ()


def test_a_problem_comes_before_a_warning_and_that_before_a_note() -> None:
    closed = Attempt("127.0.0.1", 2121, Met.REFUSAL)
    seen = Seen(
        doors=(Door("127.0.0.1:2121", closed),),
        names=Names("ftp.example.com", ("10.0.0.1",), seconds=4.0),
        attempts=[ANSWER],
        greeting=Greeting(Greeter.FTP, 220, "Ready."),
        login=Login("alice", 530, "Login incorrect."),
    )
    assert codes(seen) == ["login_refused", "slow_names", "proxy_absent"]


def test_what_stops_more_comes_first() -> None:
    seen = Seen(
        ledgers=(Ledger("state", problem="Permission denied"),),
        attempts=[Attempt("10.0.0.1", 21, Met.SILENCE)],
    )
    assert codes(seen) == ["state_unusable", "silent"]


def test_the_same_finding_is_named_once() -> None:
    broken = Data("PASV", "227", is_agreed=True, attempt=ANSWER, code=426, words="Broken.")
    assert codes(Seen(attempts=[ANSWER], data=[broken, broken])) == ["data_broken"]
