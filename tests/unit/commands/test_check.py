"""The files for TLS that a configuration names are a part of what is checked."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from proxy.cli import main
from tests.support.authority import Authority

DAY = datetime.timedelta(days=1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def checked(folder: Path, **settings: str) -> tuple[int, str]:
    """Check a file whose first listener has these settings; return exit code and first line."""
    listen = "".join(f", {key}: {value}" for key, value in settings.items())
    file = folder / "ftpweir.yaml"
    file.write_text(
        f"listen:\n  - {{address: 127.0.0.1:2121, tls: explicit{listen}}}\n"
        "upstream: {host: ftp.example.com}\n"
    )
    result = CliRunner().invoke(main, ["check", "-c", str(file)])
    return result.exit_code, result.output.splitlines()[0].removeprefix(f"{file}:")


def test_a_certificate_that_fits_its_key_is_good(authority: Authority, tmp_path: Path) -> None:
    certificate = authority.issue().certificate
    assert checked(tmp_path, certificate=str(certificate)) == (0, " good")


def test_a_file_that_is_not_there_is_told_at_its_key(tmp_path: Path) -> None:
    code, told = checked(tmp_path, certificate="/nowhere.pem")
    assert code == 1
    assert told == "2:59: listen.certificate: /nowhere.pem: No such file or directory"


def test_a_key_of_another_certificate_is_told_at_its_key(
    authority: Authority, tmp_path: Path
) -> None:
    mine, other = str(authority.issue().certificate), str(authority.issue().key)
    code, told = checked(tmp_path, certificate=mine, key=other)
    assert code == 1
    assert told.endswith(
        f"listen.key: {other}: is not the key of the (first) certificate in {mine}"
    )


@pytest.mark.parametrize(
    ("expires_in", "words"), [(-DAY, "has expired on 20"), (9 * DAY, "expires on 20")]
)
def test_the_dates_of_a_certificate_are_a_warning(
    authority: Authority, tmp_path: Path, expires_in: datetime.timedelta, words: str
) -> None:
    certificate = authority.issue(expires_in=expires_in).certificate
    code, told = checked(tmp_path, certificate=str(certificate))
    assert code == 0
    assert "warning: listen.certificate: " in told
    assert words in told


def test_the_authorities_of_the_server_are_read_too(tmp_path: Path) -> None:
    file = tmp_path / "ftpweir.yaml"
    file.write_text("upstream: {host: ftp.example.com, tls: explicit, ca: /nowhere.pem}")
    result = CliRunner().invoke(main, ["check", "-c", str(file)])
    assert result.exit_code == 1
    assert ":1:" in result.output
    assert "upstream.ca: /nowhere.pem: No such file" in result.output


def test_those_of_every_server_are_read(tmp_path: Path) -> None:
    (file := tmp_path / "ftpweir.yaml").write_text(
        "upstream: {host: a}\nservers:\n"
        "  - {name: b, match: {user: x}, upstream: {host: b, tls: explicit, ca: /nowhere.pem}}\n"
    )
    result = CliRunner().invoke(main, ["check", "-c", str(file)])
    assert result.exit_code == 1
    assert ":3:" in result.output
    assert "servers.upstream.ca: /nowhere.pem: No such file" in result.output
