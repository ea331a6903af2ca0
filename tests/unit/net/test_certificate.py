"""The certificate shown to clients: its files, what is wrong with them, and what changes."""

from __future__ import annotations

import os
import shutil
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.events import CertificateRefused, Event
from proxy.net.certificate import BadCertificate, Certificate, CertificateFiles, server_context
from proxy.net.tls import TlsFault, TlsWire
from tests.support.authority import Authority
from tests.support.wires import converse


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def files(authority: Authority) -> CertificateFiles:
    return CertificateFiles(str(authority.issue().certificate))


def silent(event: Event) -> None:
    """Nobody listens."""


def serial_shown(shown: Certificate, authority: Authority) -> bytes:
    """Return the certificate that a client sees now."""
    client = TlsWire(authority.trust(), is_server=False, server_name="localhost")
    converse(client, TlsWire(shown.context, is_server=True))
    assert client.peer_certificate is not None
    return client.peer_certificate


def test_one_file_may_hold_both(files: CertificateFiles, authority: Authority) -> None:
    assert serial_shown(Certificate(files, silent), authority)


def test_a_changed_file_counts_from_the_next_connection_on(
    files: CertificateFiles, authority: Authority
) -> None:
    told: list[Event] = []
    shown = Certificate(files, told.append)
    before = serial_shown(shown, authority)
    assert shown.context is shown.context
    shutil.copy(authority.issue().certificate, files.certificate)
    assert serial_shown(shown, authority) != before
    assert not told


def test_a_changed_file_that_is_broken_is_told_once_and_the_old_one_is_shown(
    files: CertificateFiles, authority: Authority
) -> None:
    told: list[Event] = []
    shown = Certificate(files, told.append)
    before = serial_shown(shown, authority)
    Path(files.certificate).write_text("half a certif")
    assert serial_shown(shown, authority) == serial_shown(shown, authority) == before
    (event,) = told
    assert isinstance(event, CertificateRefused)
    assert event.certificate == files.certificate
    Path(files.certificate).unlink()
    assert serial_shown(shown, authority) == before
    assert isinstance(told[1], CertificateRefused)
    assert "No such file" in told[1].why


def test_what_is_wrong_with_a_file_is_said_with_its_name(
    files: CertificateFiles, authority: Authority, tmp_path: Path
) -> None:
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("nothing")
    other, ca = str(authority.issue().key), str(authority.ca)
    locked = tmp_path / "locked.pem"
    locked.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for wrong, setting, words in (
        (
            replace(files, certificate="/nowhere.pem"),
            "certificate",
            "^/nowhere.pem: No such",
        ),
        (replace(files, certificate=str(garbage)), "certificate", "holds no certificate"),
        (replace(files, certificate=ca), "key", "holds no private key .*name .* in `key`"),
        (replace(files, key=ca), "key", r"holds no private key \(PEM\)$"),
        (replace(files, key=str(locked)), "key", "wants a password"),
        (replace(files, key=other), "key", "is not the key of the .first. certificate in"),
        (
            replace(files, client_ca=str(garbage)),
            "client_ca",
            "holds no certificates",
        ),
        (replace(files, client_ca=str(tmp_path)), "client_ca", "Is a directory"),
        (replace(files, certificate="/dev/zero"), "certificate", "is no file"),
        (replace(files, key=str(pipe)), "key", "is no file"),
    ):
        with pytest.raises(BadCertificate, match=words) as caught:
            server_context(wrong)
        assert caught.value.setting == setting


def test_a_client_without_a_certificate_is_refused_where_one_is_wanted(
    files: CertificateFiles, authority: Authority
) -> None:
    context = server_context(replace(files, client_ca=str(authority.ca)))
    trust = authority.trust()
    client = TlsWire(trust, is_server=False, server_name="localhost")
    with pytest.raises(TlsFault, match="it shows no certificate"):
        converse(client, TlsWire(context, is_server=True))
    mine = authority.issue("script@example.com")
    trust.load_cert_chain(mine.certificate, mine.key)
    server = TlsWire(context, is_server=True)
    converse(TlsWire(trust, is_server=False, server_name="localhost"), server)
    assert server.is_open


def test_an_older_version_than_allowed_is_refused(
    files: CertificateFiles, authority: Authority
) -> None:
    trust = authority.trust()
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    server = TlsWire(server_context(replace(files, min_version="1.3")), is_server=True)
    with pytest.raises(TlsFault, match="no version of TLS in common"):
        converse(TlsWire(trust, is_server=False, server_name="localhost"), server)
