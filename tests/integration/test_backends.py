"""The lab itself: real servers and clients do directly what the proxy's tests rely on."""

from __future__ import annotations

import contextlib
import ftplib
import os
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.backend import Backend
from tests.support.client import Client, ClientError, Target
from tests.support.clients import CLIENTS, Aioftp, Curl, Ftplib, Wget
from tests.support.namespaces import Lab
from tests.support.servers import SERVERS, ProFtpd, PyFtpd, Vsftpd
from tests.support.sockets import State
from tests.support.users import ALICE, USERS, User
from tests.support.waiting import until
from tests.support.watching import FlowWatch, Sampler
from tests.support.world import World

pytestmark = [pytest.mark.integration, pytest.mark.root]

Servers = Callable[[type[Backend]], Backend]
every_server = pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.kind)
every_client = pytest.mark.parametrize(
    "client", CLIENTS, ids=lambda client: f"{client.name()}-{client.mode}"
)
BUSY = r"^(421|530).*([Tt]oo many|maximum number)"


def login(server: Backend, user: User = ALICE, password: str = "") -> ftplib.FTP:
    ftp = ftplib.FTP(timeout=20)
    try:
        ftp.connect(server.host, server.port)
        ftp.login(user.name, password or user.password)
    except BaseException:
        ftp.close()
        raise
    return ftp


# Servers


@every_server
def test_each_user_sees_only_its_own_home(servers: Servers, kind: type[Backend]) -> None:
    server = servers(kind)
    for user in USERS:
        server.place(f"for-{user.name}", b"private", user)
    for user in USERS:
        with login(server, user) as ftp:
            assert [name for name in ftp.nlst() if name.startswith("for-")] == [f"for-{user.name}"]
            ftp.quit()


@every_server
def test_a_wrong_password_is_refused(servers: Servers, kind: type[Backend]) -> None:
    with pytest.raises(ftplib.error_perm, match="^530"):
        login(servers(kind), password="guess")


@every_server
def test_one_session_more_than_max_per_ip_is_refused(kind: type[Backend]) -> None:
    with kind(max_per_ip=2) as server, login(server), login(server):
        assert server.sessions() == 2
        with pytest.raises(ftplib.Error, match=BUSY):
            login(server)
        # Left behind when max_per_ip counts the refused one too: it must not.
        until(lambda: server.sessions() == 2, "the refused session is gone")


@every_server
def test_a_session_that_ended_makes_room(kind: type[Backend]) -> None:
    with kind(max_per_ip=1) as server:
        with login(server) as first:
            first.quit()
        until(lambda: server.sessions() == 0, "the first session is gone")
        server.wait_until_alone()
        with login(server) as second:
            assert second.pwd() == "/"


@every_server
def test_the_address_and_port_told_in_227_are_those_wished_for(kind: type[Backend]) -> None:
    with (
        kind(pasv_address="192.0.2.7", passive_ports=(41_000, 41_009)) as server,
        login(server) as ftp,
    ):
        told = re.search(r"\((\d+,\d+,\d+,\d+),(\d+),(\d+)\)", ftp.sendcmd("PASV"))
        assert told is not None
        assert told[1] == "192,0,2,7"
        assert 41_000 <= int(told[2]) * 256 + int(told[3]) <= 41_009


@every_server
def test_ipv6_is_served(kind: type[Backend]) -> None:
    with kind(host="::1") as server:
        server.place("six", b"6")
        assert Ftplib().get(Target(server.host, server.port), "six") == b"6"
        assert server.log_contains("(?i)EPSV")


@every_server
def test_what_clients_say_is_in_the_log(servers: Servers, kind: type[Backend]) -> None:
    server = servers(kind)
    with login(server) as ftp, pytest.raises(ftplib.error_perm):
        ftp.cwd(f"nowhere-{kind.kind}")
    server.wait_for_log(f"(?i)cwd.*nowhere-{kind.kind}")


@every_server
def test_stopping_ends_open_sessions_and_leaves_nothing(kind: type[Backend]) -> None:
    with kind() as server, contextlib.closing(World(server.pid)) as world:
        ftp = login(server)
        folder = server.folder
        assert server.pid in world.processes()
        server.stop()
        with pytest.raises((EOFError, OSError, ftplib.Error)):
            ftp.voidcmd("NOOP")
        ftp.close()
        assert not world.processes()
    assert not folder.exists()
    assert server.log


def test_the_machine_knows_none_of_the_users_while_a_server_runs(servers: Servers) -> None:
    servers(Vsftpd)
    assert "alice" not in Path("/etc/passwd").read_text()
    assert not Path("/etc/pam.d/vsftpd").exists()


# Clients


@every_server
@every_client
def test_a_client_lists_gets_and_puts_directly(
    servers: Servers, kind: type[Backend], client: Client
) -> None:
    server = servers(kind)
    target = Target(server.host, server.port)
    content = os.urandom(200_000)
    server.place("sample.bin", content)
    before = len(server.log_text())
    assert "sample.bin" in client.list(target)
    assert sha256(client.get(target, "sample.bin")).digest() == sha256(content).digest()
    if not isinstance(client, Wget):
        client.put(target, "stored.bin", content)
        stored = server.home() / "stored.bin"
        until(lambda: stored.stat().st_size == len(content), "all of it is stored")
        assert sha256(stored.read_bytes()).digest() == sha256(content).digest()
        stored.unlink()
    # A client that quietly falls back to the other mode would make a row of the matrix untrue.
    said = server.data_verbs(before)
    assert said
    assert said <= ({"PASV", "EPSV"} if client.passive else {"PORT", "EPRT"})


@every_client
def test_a_client_reports_a_file_that_is_not_there(servers: Servers, client: Client) -> None:
    server = servers(PyFtpd)
    with pytest.raises(ClientError):
        client.get(Target(server.host, server.port), "missing.bin")


@every_client
def test_a_client_reports_a_refused_login(servers: Servers, client: Client) -> None:
    server = servers(PyFtpd)
    stranger = User("mallory", "guess", 0)
    with pytest.raises(ClientError):
        client.list(Target(server.host, server.port, stranger))


def test_a_folder_and_a_name_with_a_space_are_reached(servers: Servers) -> None:
    server = servers(Vsftpd)
    server.place("deep/er/a b.bin", b"found")
    target = Target(server.host, server.port)
    assert Ftplib().get(target, "deep/er/a b.bin") == b"found"
    assert Aioftp().get(target, "deep/er/a b.bin") == b"found"


# Namespaces


@every_server
def test_a_server_in_a_namespace_serves_both_modes_to_the_other_side(kind: type[Backend]) -> None:
    with Lab() as lab, kind(host=lab.server.address, netns=lab.server.name) as server:
        server.place("here", b"yes")
        target = Target(server.host, server.port)
        for mode in ("passive", "active"):
            assert Curl(mode, netns=lab.client.name).get(target, "here") == b"yes"
        with pytest.raises(ClientError):
            Curl().get(target, "here")


def test_time_wait_is_counted_where_the_connection_was_closed_first() -> None:
    with Lab() as lab, PyFtpd(host=lab.server.address, netns=lab.server.name) as server:
        server.place("small", b"1")
        with Sampler(lab.server.count) as seen:
            Curl(netns=lab.client.name).get(Target(server.host, server.port), "small")
        waiting = [entry for entry in lab.server.sockets() if entry.state == State.TIME_WAIT]
        # RETR: the server closes the data connection first (RFC 959 section 3.3). Who is first on
        # the control connection is chance.
        assert len([entry for entry in waiting if entry.local_port != server.port]) == 1
        assert seen.most >= 1


def test_a_tracked_flow_counts_until_its_hold_is_over() -> None:
    with (
        Lab(hold=1) as lab,
        ProFtpd(host=lab.server.address, netns=lab.server.name) as server,
        FlowWatch(lab.server, source=lab.client.address) as flows,
    ):
        server.place("small", b"1")
        Curl(netns=lab.client.name).get(Target(server.host, server.port), "small")
        until(lambda: flows.flows == 2, "control and data connection are seen")
        assert flows.most == 2
        until(lambda: flows.now == 0, "both holds are over")


def test_a_banned_address_is_cut_off_without_a_word() -> None:
    with Lab() as lab, PyFtpd(host=lab.server.address, netns=lab.server.name) as server:
        lab.client.do(server.connect).close()
        lab.server.ban(lab.client.address)
        with pytest.raises(ClientError):
            Wget(netns=lab.client.name, patience=1).get(Target(server.host, server.port), "any")


def test_namespaces_are_gone_with_the_lab() -> None:
    with Lab() as lab:
        names = {lab.client.name, lab.server.name}
        assert names <= {entry.name for entry in Path("/run/netns").iterdir()}
    assert not names & {entry.name for entry in Path("/run/netns").iterdir()}
