"""`pooling: session`: a client keeps one session with the server; the next client inherits it."""

from __future__ import annotations

import ftplib
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.backend import Backend
from tests.support.batch import Batch
from tests.support.proxy import Ftpweir
from tests.support.servers import SERVERS, ProFtpd, PyFtpd, Vsftpd
from tests.support.users import ALICE, BOB, User
from tests.support.waiting import until
from tests.support.watching import Sampler

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(120)]

LIMIT = 2
SCRIPTS = 10
FILES = 20  # each
CONTENT = b"one\ntwo\n" * 500

every_server = pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.kind)


@contextmanager
def weir_before(server: Backend, pooling: str = "session") -> Iterator[Ftpweir]:
    """Run ftpweir with as many sessions as the server allows."""
    with Ftpweir(
        server,
        upstream={"sessions": LIMIT, "pooling": pooling},
        budget={"enforce": "off"},
        clients=[{"name": "everyone"}],
    ) as weir:
        yield weir


def scripts(host: str, port: int) -> Batch:
    """Let ten scripts at once log in, fetch their files, and leave."""
    batch = Batch(host, port, ALICE.name, ALICE.password, SCRIPTS, SCRIPTS * FILES)
    return batch.run()


@contextmanager
def client(weir: Ftpweir, user: User = ALICE) -> Iterator[ftplib.FTP]:
    """Log in through ftpweir; leave by QUIT."""
    with ftplib.FTP(timeout=30) as ftp:
        ftp.connect(weir.host, weir.port)
        ftp.login(user.name, user.password)
        yield ftp


def connections(server: Backend) -> int:
    """Count the connections in the log of vsftpd."""
    return len(re.findall(r"CONNECT: Client", server.log_text()))


def raw_file(ftp: ftplib.FTP) -> bytes:
    """Fetch the file in whatever TYPE is set."""
    pieces = []
    with ftp.transfercmd("RETR file.bin") as data:
        while piece := data.recv(1 << 16):
            pieces.append(piece)
    ftp.voidresp()
    return b"".join(pieces)


def test_ten_scripts_straight_at_the_server_are_refused_and_through_ftpweir_served() -> None:
    with Vsftpd(max_per_ip=LIMIT) as server:
        server.place("file.bin", CONTENT)
        straight = scripts(server.host, server.port)
        assert len(straight.errors) >= 1
        assert all("421" in error for error in straight.errors)
        server.wait_until_alone()
        with weir_before(server) as weir, Sampler(server.sessions) as sessions:
            through = scripts(weir.host, weir.port)
        assert through.errors == []
        assert len(through.finished) == SCRIPTS * FILES
        assert through.digests == [hashlib.sha256(CONTENT).hexdigest()]
        assert sessions.most <= LIMIT
        assert not weir.log_contains('"code": 421')


@every_server
def test_ten_scripts_share_two_sessions_one_after_the_other(kind: type[Backend]) -> None:
    with kind(max_per_ip=LIMIT) as server, weir_before(server) as weir:
        server.place("file.bin", CONTENT)
        through = scripts(weir.host, weir.port)
        assert through.errors == []
        assert len(through.finished) == SCRIPTS * FILES
        assert through.digests == [hashlib.sha256(CONTENT).hexdigest()]
        assert not weir.log_contains("upstream refused a session")


def test_after_quit_the_session_waits_for_the_next_client_of_the_same_login() -> None:
    with Vsftpd(max_per_ip=LIMIT) as server, weir_before(server) as weir:
        with client(weir) as ftp:
            ftp.nlst()
        before = connections(server)
        for _ in range(5):
            with client(weir) as ftp:
                ftp.nlst()
        assert connections(server) == before
        assert server.sessions() == 1


def test_a_client_that_vanishes_leaves_its_session_too() -> None:
    with Vsftpd(max_per_ip=LIMIT) as server, weir_before(server) as weir:
        for _ in range(2 * LIMIT):
            ftp = ftplib.FTP(timeout=30)
            ftp.connect(weir.host, weir.port)
            ftp.login(ALICE.name, ALICE.password)
            ftp.nlst()
            ftp.close()
        assert not weir.log_contains("upstream refused a session")


@every_server
def test_the_next_client_begins_in_its_home(kind: type[Backend]) -> None:
    with kind(max_per_ip=LIMIT) as server, weir_before(server) as weir:
        server.place("inner/file.bin", CONTENT)
        with client(weir) as first:
            home = first.pwd()
            first.cwd("inner")
            assert "file.bin" in first.nlst()
        with client(weir) as second:
            assert second.pwd() == home
            assert "inner" in second.nlst()
        assert server.sessions() == 1


@pytest.mark.parametrize("kind", [ProFtpd, PyFtpd], ids=lambda kind: kind.kind)
def test_the_next_client_begins_in_ascii(kind: type[Backend]) -> None:
    # These two really translate line ends, and so tell which TYPE is set.
    with kind(max_per_ip=LIMIT) as server, weir_before(server) as weir:
        server.place("file.bin", CONTENT)
        with client(weir) as first:
            first.voidcmd("TYPE I")
            assert raw_file(first) == CONTENT
        with client(weir) as second:
            assert raw_file(second) == CONTENT.replace(b"\n", b"\r\n")
        assert server.sessions() == 1


def test_another_login_gets_a_session_of_its_own() -> None:
    with Vsftpd(max_per_ip=LIMIT) as server, weir_before(server) as weir:
        server.place("hers", b"", ALICE)
        server.place("his", b"", BOB)
        with client(weir, ALICE) as ftp:
            assert ftp.nlst() == ["hers"]
        before = connections(server)
        with client(weir, BOB) as ftp:
            assert ftp.nlst() == ["his"]
        assert connections(server) == before + 1
        with client(weir, ALICE) as ftp:
            assert ftp.nlst() == ["hers"]
        assert connections(server) == before + 1


def test_a_warm_session_makes_room_for_another_login() -> None:
    with Vsftpd(max_per_ip=1) as server:
        server.place("hers", b"", ALICE)
        server.place("his", b"", BOB)
        with Ftpweir(server, upstream={"sessions": 1, "pooling": "session"}) as weir:
            for user, name in ((ALICE, "hers"), (BOB, "his"), (ALICE, "hers")):
                with client(weir, user) as ftp:
                    assert ftp.nlst() == [name]
            assert not weir.log_contains("upstream refused a session")


def test_while_it_is_kept_nobody_else_has_it() -> None:
    with Vsftpd(max_per_ip=LIMIT) as server, weir_before(server) as weir:
        with client(weir) as first, client(weir) as second:
            first.mkd("mine")
            first.cwd("mine")
            assert second.pwd() == "/"
            assert first.pwd() == "/mine"
            assert server.sessions() == 2
        until(lambda: weir.sessions() == 0, "both have left")
        assert server.sessions() == 2
