"""Where the doctor finds a login, and where it does not show it."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.ops.doctor.credentials import VARIABLE, Credentials, NoPassword, find_credentials

HOST = "ftp.example.com"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment with a netrc for the host and a default for others."""
    (tmp_path / ".netrc").write_text(
        f"machine {HOST} login alice password from-netrc\n"
        "default login anonymous password nobody@\n"
    )
    return {"HOME": str(tmp_path)}


def never(question: str) -> str:
    raise AssertionError(question)


def test_the_variable_comes_first(home: dict[str, str]) -> None:
    found = find_credentials(
        HOST, "alice", environment={**home, VARIABLE: "from-variable"}, ask=never
    )
    assert found == Credentials("alice", "from-variable")


def test_netrc_knows_user_and_password(home: dict[str, str]) -> None:
    for user in (None, "alice"):
        found = find_credentials(HOST, user, environment=home, ask=never)
        assert found == Credentials("alice", "from-netrc")


def test_another_netrc_may_be_named(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "other").write_text(f"machine {HOST} login bob password b\n")
    environment = {**home, "NETRC": str(tmp_path / "other")}
    assert find_credentials(HOST, None, environment=environment, ask=never) == Credentials(
        "bob", "b"
    )


def test_the_default_of_netrc_is_not_for_strangers(home: dict[str, str]) -> None:
    assert find_credentials("other.example.com", None, environment=home, ask=never) is None


def test_a_netrc_that_cannot_be_read_knows_nobody(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine\n")
    assert find_credentials(HOST, None, environment={"HOME": str(tmp_path)}, ask=None) is None


def test_somebody_at_a_terminal_is_asked(home: dict[str, str]) -> None:
    found = find_credentials(HOST, "bob", environment=home, ask=lambda question: question)
    assert found == Credentials("bob", f"Password of bob at {HOST}")


def test_nobody_at_a_terminal_is_told_where_to_put_it(home: dict[str, str]) -> None:
    with pytest.raises(NoPassword, match="FTPWEIR_PASSWORD or ~/.netrc"):
        find_credentials(HOST, "bob", environment=home, ask=None)


def test_a_password_is_in_no_text_made_of_a_login() -> None:
    assert "hush" not in repr(Credentials("alice", "hush"))
