"""Greeting, TLS, login: asked of a server that says anything."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from proxy.net.trust import TrustFiles, trust_context
from proxy.ops.doctor.credentials import Credentials
from proxy.ops.doctor.seen import Greeter, Login, Tls
from proxy.ops.doctor.visit import (
    get_to_know,
    greet,
    log_in,
    look_at_certificate,
    read_certificate,
    shake_hands,
)
from proxy.ops.doctor.wire import ControlLine, Dialler, Purse
from tests.support.honest import GREETING, Handler
from tests.support.misdeeds import hangs_up, keeps_silent, last_says, says, spits
from tests.support.scripted import Scripted, scripted

PATIENCE = 20.0
ALICE = Credentials("alice", "wonderland")


async def ask(server: Scripted, question: Callable[[ControlLine], object]) -> object:
    """Connect, ask in a thread, as the doctor blocks, and hang up."""

    def visit() -> object:
        line = ControlLine(socket.create_connection((server.host, server.port)))
        try:
            return question(line)
        finally:
            line.close()

    return await asyncio.to_thread(visit)


@pytest.mark.parametrize(
    ("greeting", "patience", "expected"),
    [
        (says("220 Ready."), PATIENCE, (Greeter.FTP, 220, "Ready.")),
        (says("120 Soon.", "220 Ready."), PATIENCE, (Greeter.FTP, 220, "Ready.")),
        (last_says("421 Too many users."), PATIENCE, (Greeter.FTP, 421, "Too many users.")),
        (hangs_up, PATIENCE, (Greeter.GONE, 0, "the server closed the connection")),
        (keeps_silent, 0.01, (Greeter.MUTE, 0, "no reply within 0.01 s")),
        (spits(b"SSH-2.0-x\r\n"), PATIENCE, (Greeter.OTHER, 0, "not a reply: SSH-2.0-x")),
    ],
)
async def test_who_answers(
    greeting: Handler, patience: float, expected: tuple[Greeter, int, str]
) -> None:
    async with scripted() as server:
        server.always[GREETING] = greeting
        seen = await ask(server, lambda line: greet(line, patience))
    assert (seen.greeter, seen.code, seen.words) == expected  # type: ignore[attr-defined]


async def test_a_limit_is_known_by_its_words() -> None:
    async with scripted() as server:
        server.always[GREETING] = last_says("421 Too many users.")
        seen = await ask(server, lambda line: greet(line, PATIENCE))
    assert seen.busy  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("verb", "answer", "expected"),
    [
        ("PASS", says("230 In."), Login("alice", 230, "In.")),
        ("USER", says("230 In without."), Login("alice", 230, "In without.")),
        ("PASS", says("530 Login incorrect."), Login("alice", 530, "Login incorrect.")),
        ("PASS", says("530 Too many users."), Login("alice", 530, "Too many users.", busy=True)),
        ("PASS", says("332 Account?"), Login("alice", 332, "Account?")),
        (
            "USER",
            hangs_up,
            Login("alice", 421, "the server closed the connection", busy=True),
        ),
    ],
)
async def test_how_a_login_ends(verb: str, answer: Handler, expected: Login) -> None:
    async with scripted() as server:
        server.always[verb] = answer

        def question(line: ControlLine) -> Login:
            greet(line, PATIENCE)
            return log_in(line, ALICE, PATIENCE)

        assert await ask(server, question) == expected


async def test_what_a_server_says_of_itself() -> None:
    async with scripted() as server:
        server.always["FEAT"] = says("211-Features:", " AUTH \x1b[2JTLS", "211 End")

        def question(line: ControlLine) -> object:
            greet(line, PATIENCE)
            return get_to_know(line, PATIENCE)

        seen = await ask(server, question)
    assert seen.system == "UNIX Type: L8"  # type: ignore[attr-defined]
    assert seen.features == ("AUTH ?[2JTLS",)  # type: ignore[attr-defined]
    assert seen.is_unix  # type: ignore[attr-defined]


class TlsServer:
    """Speaks TLS from the first byte, and no more than that."""

    def __init__(self, issued: trustme.LeafCert) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(self._context)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            with sock:
                try:
                    with self._context.wrap_socket(sock, server_side=True) as secured:
                        secured.recv(1)
                except OSError:
                    continue  # the client did not like us

    def close(self) -> None:
        """End."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def serving() -> Iterator[Callable[[trustme.LeafCert], TlsServer]]:
    servers: list[TlsServer] = []

    def start(issued: trustme.LeafCert) -> TlsServer:
        servers.append(TlsServer(issued))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def hands_shaken(port: int, context: ssl.SSLContext, name: str = "localhost") -> Tls:
    line = ControlLine(socket.create_connection(("127.0.0.1", port)))
    try:
        return shake_hands(line, context, name, PATIENCE)
    finally:
        line.close()


def trust(ca: trustme.CA, folder: Path) -> ssl.SSLContext:
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    return trust_context(TrustFiles(ca=str(folder / "ca.pem")))


Serving = Callable[[trustme.LeafCert], TlsServer]


def test_a_good_certificate_passes(ca: trustme.CA, serving: Serving, tmp_path: Path) -> None:
    server = serving(ca.issue_cert("localhost"))
    tls = hands_shaken(server.port, trust(ca, tmp_path))
    assert (tls.failure, tls.version[:4]) == ("", "TLSv")
    assert tls.certificate is not None
    assert tls.certificate.names == ("localhost",)


def test_each_fault_of_a_certificate_has_its_number(
    ca: trustme.CA, serving: Serving, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    old = ca.issue_cert(
        "localhost", not_before=now - timedelta(days=9), not_after=now - timedelta(days=1)
    )
    trusted = trust(ca, tmp_path)
    assert hands_shaken(serving(old).port, trusted).verify_code == 10
    good = serving(ca.issue_cert("localhost")).port
    assert hands_shaken(good, trusted, "other.example.com").verify_code == 62
    assert hands_shaken(good, trust_context(TrustFiles())).verify_code in (19, 20)
    assert hands_shaken(good, trust_context(TrustFiles(verify=False))).failure == ""


def test_a_certificate_that_did_not_pass_is_looked_at(ca: trustme.CA, serving: Serving) -> None:
    server = serving(ca.issue_cert("localhost"))
    dialler = Dialler(Purse(1), patience=PATIENCE, source=None)
    for expected in ("localhost", None):  # the second time the purse is empty
        seen = look_at_certificate(
            dialler, "127.0.0.1", server.port, implicit=True, patience=PATIENCE
        )
        assert (seen.names[0] if seen else None) == expected


async def test_a_server_without_tls_shows_no_certificate() -> None:
    async with scripted() as server:
        dialler = Dialler(Purse(None), patience=PATIENCE, source=None)
        look = asyncio.to_thread(
            look_at_certificate,
            dialler,
            server.host,
            server.port,
            implicit=False,
            patience=PATIENCE,
        )
        assert await look is None


async def test_a_server_that_speaks_no_tls_fails_without_a_verdict_on_its_certificate() -> None:
    async with scripted() as server:
        tls = await ask(
            server, lambda line: shake_hands(line, trust_context(TrustFiles()), "h", PATIENCE)
        )
    assert tls.failure  # type: ignore[attr-defined]
    assert tls.verify_code == 0  # type: ignore[attr-defined]


def test_a_certificate_that_makes_no_sense_is_none() -> None:
    assert read_certificate(b"nonsense") is None
