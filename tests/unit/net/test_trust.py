"""Whom we trust: the files, and what a certificate says."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import pytest

from proxy.net.certificate import BadCertificate, CertificateFiles, server_context
from proxy.net.tls import TlsFault, TlsWire
from proxy.net.trust import Shown, TrustFiles, trust_context
from tests.support.authority import Authority
from tests.support.wires import converse


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def shown_to(files: TrustFiles, authority: Authority, name: str = "localhost") -> TlsWire:
    """Shake hands with a server of the authority's; return our side."""
    theirs = server_context(CertificateFiles(str(authority.issue("localhost").certificate)))
    ours = TlsWire(trust_context(files), is_server=False, server_name=name)
    converse(ours, TlsWire(theirs, is_server=True))
    return ours


def test_who_is_vouched_for_by_the_given_authority_is_trusted(authority: Authority) -> None:
    assert shown_to(TrustFiles(ca=str(authority.ca)), authority).is_open


def test_the_system_does_not_vouch_for_a_stranger(authority: Authority) -> None:
    with pytest.raises(TlsFault, match="from an unknown issuer|signed by itself"):
        shown_to(TrustFiles(), authority)


def test_the_name_counts_unless_nothing_is_verified(authority: Authority) -> None:
    with pytest.raises(TlsFault, match="is not for ftp"):
        shown_to(TrustFiles(ca=str(authority.ca)), authority, "ftp.example.com")
    assert shown_to(TrustFiles(verify=False), authority, "ftp.example.com").is_open


def test_the_version_is_bounded_from_below() -> None:
    context = trust_context(TrustFiles(min_version="1.3"))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert trust_context(TrustFiles()).minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_file_that_cannot_be_used_is_named(authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(BadCertificate, match="nowhere"):
        trust_context(TrustFiles(ca=str(tmp_path / "nowhere.pem")))
    with pytest.raises(BadCertificate, match="holds no private key"):
        trust_context(TrustFiles(certificate=str(authority.ca)))
    trust_context(TrustFiles(certificate=str(authority.issue().certificate)))


def test_a_certificate_says_whose_it_is_and_for_how_long(authority: Authority) -> None:
    files = TrustFiles(ca=str(authority.ca))
    certificate = shown_to(files, authority).peer_certificate
    assert certificate is not None
    shown = Shown.of(certificate)
    assert shown is not None
    assert "trustme" in shown.subject
    assert shown.expires_at > datetime.datetime.now(datetime.UTC).timestamp()
    assert shown.begins_at < shown.expires_at
    assert Shown.of(b"no certificate") is None


def test_the_first_certificate_of_a_file_is_ours_wherever_its_key_stands(
    authority: Authority, tmp_path: Path
) -> None:
    both = authority.issue("localhost").certificate
    key, _, chain = both.read_text().partition("-----BEGIN CERTIFICATE-----")
    turned = tmp_path / "turned.pem"
    turned.write_text(f"-----BEGIN CERTIFICATE-----{chain}{key}")
    assert Shown.first_in(str(turned)) == Shown.first_in(str(both)) is not None
    turned.write_text("nothing")
    assert Shown.first_in(str(turned)) is None


def test_a_server_that_wants_a_certificate_of_ours_gets_the_one_given(authority: Authority) -> None:
    shown = str(authority.issue("localhost").certificate)
    theirs = server_context(CertificateFiles(shown, client_ca=str(authority.ca)))
    mine = str(authority.issue("ftpweir@example.com").certificate)
    with_one, without = (
        TrustFiles(ca=str(authority.ca), certificate=certificate) for certificate in (mine, None)
    )
    server = TlsWire(theirs, is_server=True)
    converse(TlsWire(trust_context(with_one), is_server=False, server_name="localhost"), server)
    certificate = Shown.first_in(mine)
    assert server.peer_certificate is not None
    assert Shown.of(server.peer_certificate) == certificate
    client = TlsWire(trust_context(without), is_server=False, server_name="localhost")
    with pytest.raises(TlsFault, match="it shows no certificate"):
        converse(client, TlsWire(theirs, is_server=True))


def test_a_server_is_told_which_name_is_meant(authority: Authority) -> None:
    asked: list[str | None] = []
    theirs = server_context(CertificateFiles(str(authority.issue("localhost").certificate)))
    theirs.sni_callback = lambda _, name, __: asked.append(name)
    ours = trust_context(TrustFiles(ca=str(authority.ca)))
    client = TlsWire(ours, is_server=False, server_name="localhost")
    converse(client, TlsWire(theirs, is_server=True))
    assert asked == ["localhost"]
