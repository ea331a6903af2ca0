"""What follows from the way to the server, its greeting, its certificate and the login."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from proxy.config import Config
from proxy.ops.doctor.of_server import of_server
from proxy.ops.doctor.seen import (
    Attempt,
    Certificate,
    Features,
    Greeter,
    Greeting,
    Ledger,
    Login,
    Machine,
    Met,
    Names,
    Running,
    Seen,
    Tls,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DAY = timedelta(days=1)
MACHINE = Machine(20_000, 28_000, 100, NOW, NOW, 0, ())
WELCOME = Greeting(Greeter.FTP, 220, "Ready.")
ANSWER = Attempt("10.0.0.1", 21, Met.ANSWER)
GOOD = Certificate("CN=ftp", "CN=ca", ("ftp.example.com",), NOW - 90 * DAY, NOW + 90 * DAY)
IN = Login("alice", 230, "In.")


def config(**upstream: object) -> Config:
    return Config.model_validate({"upstream": {"host": "ftp.example.com", **upstream}})


def codes(seen: Seen, **upstream: object) -> list[str]:
    return [one.cause.code for one in of_server(config(**upstream), seen)]


def after(met: Met, *, host: str = "10.0.0.1") -> Attempt:
    return Attempt(host, 21, met, 1.0)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (Names("h", ("10.0.0.1",)), []),
        (Names("h", error="Name or service not known"), ["no_such_name"]),
        (Names("h", error="Temporary failure", is_temporary=True), ["no_name_server"]),
        (Names("h", ("10.0.0.1",), seconds=5.0), ["slow_names"]),
    ],
)
def test_what_a_name_tells(names: Names, found: list[str]) -> None:
    assert codes(Seen(names=names)) == found


@pytest.mark.parametrize(
    ("attempts", "found"),
    [
        ([after(Met.ANSWER)], []),
        ([after(Met.REFUSAL)], ["refused"]),
        ([after(Met.SILENCE)], ["silent"]),
        ([after(Met.NO_WAY)], ["unreachable"]),
        ([after(Met.NO_ROOM)], []),
        ([after(Met.NO_DESCRIPTOR)], ["descriptors"]),
        ([after(Met.NO_WAY, host="fd00::1"), after(Met.ANSWER)], ["first_address_dead"]),
        ([after(Met.SILENCE, host="fd00::1"), after(Met.REFUSAL)], ["silent"]),
    ],
)
def test_what_an_attempt_to_connect_tells(attempts: list[Attempt], found: list[str]) -> None:
    assert codes(Seen(attempts=attempts)) == found


def test_a_server_that_is_away_tells_of_its_standby_servers() -> None:
    seen = Seen(attempts=[after(Met.REFUSAL)])
    (alone,) = of_server(config(), seen)
    (one_of_two,) = of_server(config(standby=["two.example:2121"]), seen)
    assert "standby" not in alone.evidence
    assert "`--server two.example:2121`" in one_of_two.evidence


def test_silence_after_transfers_is_a_ban() -> None:
    seen = Seen(attempts=[after(Met.SILENCE)], ledgers=(Ledger("s", had_data=7),))
    (found,) = of_server(config(), seen)
    assert found.cause.code == "banned"
    assert "remembers 7 data connections" in found.evidence


def test_a_refused_port_tells_who_is_at_the_standard_one() -> None:
    seen = Seen(attempts=[after(Met.REFUSAL)], standard_port=WELCOME)
    (found,) = of_server(config(port=2222), seen)
    assert found.evidence.endswith("at port 21: 220 Ready.")


@pytest.mark.parametrize(
    ("greeting", "found"),
    [
        (Greeting(Greeter.OTHER, words="SSH-2.0"), ["not_ftp"]),
        (Greeting(Greeter.MUTE), ["mute"]),
        (Greeting(Greeter.GONE), ["hung_up"]),
        (Greeting(Greeter.FTP, 421, "Too many.", busy=True), ["sessions_full"]),
        (Greeting(Greeter.FTP, 421, "Closed on Sundays."), ["turned_away"]),
        (WELCOME, ["no_login"]),
    ],
)
def test_what_a_greeting_tells(greeting: Greeting, found: list[str]) -> None:
    assert codes(Seen(attempts=[ANSWER], greeting=greeting)) == found


@pytest.mark.parametrize(
    ("held", "running", "sessions", "found"),
    [
        (2, True, 2, ["sessions_ours"]),
        (1, True, 2, ["sessions_full"]),  # the server allows fewer than configured
        (2, False, 2, ["sessions_full"]),
        (1, True, "auto", ["sessions_ours"]),
        (0, True, "auto", ["sessions_full"]),
    ],
)
def test_a_limit_that_ftpweir_fills_itself_is_no_problem(
    held: int, running: bool, sessions: object, found: list[str]
) -> None:
    seen = Seen(
        machine=replace(MACHINE, sessions_held=held),
        ledgers=(Ledger("s", is_held=running),),
        greeting=Greeting(Greeter.FTP, 421, "Too many.", busy=True),
    )
    assert codes(seen, sessions=sessions) == found


@pytest.mark.parametrize(
    ("own", "elsewhere", "found"),
    [
        (0, 0, "sessions_full"),  # all that this machine holds are somebody else's
        (2, 0, "sessions_ours"),
        (1, 1, "sessions_ours"),
    ],
)
def test_a_running_ftpweir_says_which_sessions_are_its_own(
    own: int, elsewhere: int, found: str
) -> None:
    said = Running("127.0.0.1:8021", 7, 380, 2.5, 0.0, own, "", (), sessions_elsewhere=elsewhere)
    seen = Seen(
        machine=replace(MACHINE, sessions_held=2),
        running=said,
        greeting=Greeting(Greeter.FTP, 421, "Too many.", busy=True),
    )
    (finding,) = of_server(config(sessions=2), seen)
    assert finding.cause.code == found
    assert finding.evidence.endswith(f"before ours: 2; sessions of ftpweir: {own + elsewhere}")


EXPIRED = replace(GOOD, not_after=NOW - DAY)
EARLY = replace(GOOD, not_before=NOW + DAY)


@pytest.mark.parametrize(
    ("tls", "found"),
    [
        (Tls(True, "TLSv1.3", certificate=GOOD), []),
        (
            Tls(True, "TLSv1.3", certificate=replace(GOOD, not_after=NOW + DAY)),
            ["certificate_soon"],
        ),
        (Tls(False, failure="502 No."), ["tls_missing"]),
        (Tls(True, failure="WRONG_VERSION_NUMBER"), ["tls_failed"]),
        (Tls(True, failure="f.pem: No such file", files_problem="f.pem"), ["tls_files"]),
        (Tls(True, failure="expired", verify_code=10), ["certificate_expired"]),
        (Tls(True, failure="not yet", verify_code=9), ["certificate_early"]),
        (Tls(True, failure="mismatch", verify_code=62), ["certificate_name"]),
        (
            Tls(True, failure="self-signed", verify_code=18, certificate=GOOD),
            ["certificate_unknown"],
        ),
        # OpenSSL stops at the first fault: an issuer nobody knows hides that it has expired.
        (
            Tls(True, failure="local issuer", verify_code=20, certificate=EXPIRED),
            ["certificate_expired"],
        ),
        (
            Tls(True, failure="local issuer", verify_code=20, certificate=EARLY),
            ["certificate_early"],
        ),
    ],
)
def test_what_tls_tells(tls: Tls, found: list[str]) -> None:
    seen = Seen(machine=MACHINE, attempts=[ANSWER], greeting=WELCOME, tls=tls)
    if not tls.failure:
        seen.login = IN
    assert codes(seen) == found


def test_the_evidence_shows_the_certificate() -> None:
    tls = Tls(True, failure="expired", verify_code=10, certificate=EXPIRED)
    (found,) = of_server(config(), Seen(machine=MACHINE, tls=tls))
    assert "CN=ftp for ftp.example.com, issued by CN=ca" in found.evidence
    assert found.evidence.endswith("to 2026-11-20)")


def test_a_certificate_that_is_not_checked_is_doubted() -> None:
    seen = Seen(machine=MACHINE, tls=Tls(True, "TLSv1.2", certificate=EXPIRED), login=IN)
    assert codes(seen, verify="off") == ["certificate_doubtful"]


@pytest.mark.parametrize(
    ("login", "found"),
    [
        (IN, []),
        (Login("a", 530, "Login incorrect."), ["login_refused"]),
        (Login("a", 530, "Sorry, the maximum number is reached.", busy=True), ["sessions_full"]),
        (Login("a", 332, "Account?"), ["account_wanted"]),
        (Login("a", 530, "Non-anonymous sessions must use encryption."), ["tls_required"]),
        (Login("a", 421, "Sorry, cleartext sessions are not accepted."), ["tls_required"]),
        (Login("a", 550, "SSL/TLS required on the control channel"), ["tls_required"]),
    ],
)
def test_what_a_login_tells(login: Login, found: list[str]) -> None:
    assert codes(Seen(attempts=[ANSWER], greeting=WELCOME, login=login)) == found


def test_what_the_server_says_of_itself() -> None:
    features = Features("UNIX", ("SIZE", "AUTH TLS"), '"/" is here', is_unix=True)
    assert codes(Seen(login=IN, features=features)) == ["tls_offered"]
    assert codes(Seen(login=IN, features=features, tls=Tls(True, "TLSv1.3"))) == []
    odd = replace(features, features=(), directory="'USER.DATA.' is here", is_unix=False)
    assert codes(Seen(login=IN, features=odd)) == ["home_odd"]
    assert codes(Seen(features=odd)) == []  # before a login PWD tells nothing


def test_a_lost_control_connection_is_told() -> None:
    assert codes(Seen(login=IN, lost="no reply within 30 s")) == ["lost"]
