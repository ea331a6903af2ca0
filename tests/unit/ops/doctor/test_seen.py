"""How what was seen is told in one line."""

from __future__ import annotations

import pytest

from proxy.ops.doctor.seen import Attempt, Data, Greeter, Greeting, Login, Met


def test_an_attempt_tells_where_what_and_how_long() -> None:
    assert str(Attempt("10.0.0.1", 21, Met.SILENCE, 1.0)) == "10.0.0.1:21: no answer after 1000 ms"
    assert str(Attempt("fd00::1", 21, Met.NO_WAY, 0.0, "No route to host")) == (
        "[fd00::1]:21: unreachable (No route to host) after 0 ms"
    )


@pytest.mark.parametrize(
    ("greeting", "words", "is_welcome"),
    [
        (Greeting(Greeter.FTP, 220, "Ready."), "220 Ready.", True),
        (Greeting(Greeter.FTP, 421, "Too many."), "421 Too many.", False),
        (Greeting(Greeter.OTHER, words="SSH-2.0"), "SSH-2.0", False),
        (Greeting(Greeter.MUTE), "nobody speaks", False),
    ],
)
def test_a_greeting_is_welcome_or_not(greeting: Greeting, words: str, is_welcome: bool) -> None:
    assert str(greeting) == words
    assert greeting.is_welcome is is_welcome


def test_a_login_is_done_with_230_alone() -> None:
    assert Login("alice", 230, "In.").is_done
    assert not Login("alice", 332, "Account?").is_done
    assert not Login("alice", 530, "No.").is_done


def test_a_data_connection_came_about_or_did_not() -> None:
    assert Data("PASV", "227", attempt=Attempt("h", 1, Met.ANSWER)).is_connected
    assert not Data("PASV", "227", attempt=Attempt("h", 1, Met.REFUSAL)).is_connected
    assert not Data("PASV", "502").is_connected
    assert Data("EPSV", "").is_passive
    assert not Data("EPRT", "").is_passive
