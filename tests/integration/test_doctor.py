"""Ten breakages, made with real servers and firewall rules: the doctor names each first."""

from __future__ import annotations

import ftplib
import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from loadtest.ports import free_port
from tests.integration.conftest import Servers
from tests.support.authority import Authority
from tests.support.backend import Backend
from tests.support.namespaces import Lab
from tests.support.programs import CHECKOUT, program
from tests.support.proxy import Ftpweir
from tests.support.servers import SERVERS, ProFtpd, Vsftpd
from tests.support.users import ALICE

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(120)]

PORTS = (40000, 40099)
DROP_PASSIVE = f"""
table inet blocked {{
  chain input {{
    type filter hook input priority -10
    tcp dport {PORTS[0]}-{PORTS[1]} drop
  }}
}}
"""


class Visit:
    """What one run of the doctor told."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        assert done.stdout.startswith("{"), done.stderr
        self.told: dict[str, Any] = json.loads(done.stdout)
        self.returncode = done.returncode
        self.progress = done.stderr

    @property
    def codes(self) -> list[str]:
        """The causes found, the most important first."""
        return [finding["code"] for finding in self.told["findings"]]

    @property
    def first(self) -> dict[str, str]:
        """The first finding."""
        found: dict[str, str] = self.told["findings"][0]
        return found


def examine(
    config: Path, *arguments: str, inside: Lab | None = None, password: str = ALICE.password
) -> Visit:
    """Run the doctor on a configuration, beside it."""
    command = [sys.executable, "-m", "proxy", "doctor", "-c", str(config), "--json", *arguments]
    done = subprocess.run(
        inside.client.inside(command) if inside else command,
        cwd=config.parent,
        env={
            **os.environ,
            "PYTHONPATH": str(CHECKOUT),
            "FTPWEIR_PASSWORD": password,
            "HOME": str(config.parent),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return Visit(done)


def write_config(folder: Path, server: Backend, **sections: Mapping[str, object]) -> Path:
    """Write a configuration for a server; the timeouts are short."""
    config: dict[str, object] = {
        "upstream": {"host": server.host, "port": server.port, **sections.pop("upstream", {})},
        "timeouts": {"connect": "1s"},
        "status": "none",
        **sections,
    }
    path = folder / "ftpweir.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


@contextmanager
def scene(kind: type[Backend] = Vsftpd, **wishes: Any) -> Iterator[tuple[Lab, Backend]]:
    """Run a server on the other side of a cable."""
    with (
        Lab() as lab,
        kind(
            host=lab.server.address, netns=lab.server.name, passive_ports=PORTS, **wishes
        ) as server,
    ):
        yield lab, server


@pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.kind)
def test_a_healthy_server_has_no_problem(
    kind: type[Backend], servers: Servers, tmp_path: Path
) -> None:
    visit = examine(
        write_config(tmp_path, servers(kind)), "--user", ALICE.name, "--write-test", "/"
    )
    assert visit.returncode == 0, visit.told
    assert visit.told["healthy"] is True
    assert {"reset_possible", "proxy_absent"} <= set(visit.codes)
    # The control connection, a data connection for each of PASV, EPSV, PORT and STOR.
    assert visit.told["connections"] == 5
    assert list(servers(kind).home().glob("ftpweir-doctor-*")) == []


def test_a_wrong_port(tmp_path: Path) -> None:
    with scene() as (lab, server):
        config = write_config(tmp_path, server, upstream={"port": server.port + 1})
        visit = examine(config, "--user", ALICE.name, inside=lab)
    assert visit.returncode == 1
    assert (visit.first["code"], visit.first["class"]) == ("refused", "routing or firewall")
    assert f":{server.port + 1}" in visit.first["evidence"]


def test_a_name_that_does_not_resolve(tmp_path: Path) -> None:
    with scene() as (lab, server):
        config = write_config(tmp_path, server, upstream={"host": "ftp.nowhere.invalid"})
        visit = examine(config, "--user", ALICE.name, inside=lab)
    assert visit.returncode == 1
    assert visit.first["class"] == "name resolution"
    assert "ftp.nowhere.invalid" in visit.first["evidence"]
    assert visit.told["connections"] == 0


def test_a_blocked_passive_range(tmp_path: Path) -> None:
    with scene() as (lab, server):
        lab.server.run("nft", "-f", "-", text=DROP_PASSIVE)
        visit = examine(write_config(tmp_path, server), "--user", ALICE.name, inside=lab)
    assert visit.returncode == 1
    assert (visit.first["code"], visit.first["class"]) == ("passive_blocked", "passive ports")
    assert visit.first["evidence"].count("no answer") == 2


def test_a_foreign_address_in_the_227(tmp_path: Path) -> None:
    with scene(pasv_address="192.168.77.7") as (lab, server):
        visit = examine(write_config(tmp_path, server), "--user", ALICE.name, inside=lab)
    # ftpweir connects to the server's own address, so that nothing is broken for it.
    assert visit.returncode == 0
    assert (visit.first["code"], visit.first["class"]) == ("foreign_address", "passive ports")
    assert "192.168.77.7" in visit.first["evidence"]


def test_a_foreign_address_in_the_227_behind_a_blocked_range(tmp_path: Path) -> None:
    with scene(pasv_address="192.168.77.7") as (lab, server):
        lab.server.run("nft", "-f", "-", text=DROP_PASSIVE)
        visit = examine(write_config(tmp_path, server), "--user", ALICE.name, inside=lab)
    assert visit.returncode == 1
    assert visit.first["code"] == "foreign_address_dead"


def test_an_expired_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with Lab() as lab:
        expired = authority.issue(lab.server.address, expires_in=timedelta(days=-1))
        with Vsftpd(host=lab.server.address, netns=lab.server.name, tls=expired) as server:
            tls = {"tls": "explicit", "ca": str(authority.ca)}
            config = write_config(tmp_path, server, upstream=tls)
            visit = examine(config, "--user", ALICE.name, inside=lab)
            heard = server.log_text()
    assert visit.returncode == 1
    assert (visit.first["code"], visit.first["class"]) == (
        "certificate_expired",
        "TLS or certificate",
    )
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert f"{yesterday:%Y-%m-}" in visit.first["evidence"]
    assert '"USER' not in heard  # nothing secret is told to whom nobody vouches for


@pytest.mark.parametrize("kind", [Vsftpd, ProFtpd], ids=lambda kind: kind.kind)
def test_a_healthy_server_with_tls_has_no_problem(kind: type[Backend], tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with kind(tls=authority.issue()) as server:  # both want the session resumed
        tls = {"tls": "explicit", "ca": str(authority.ca)}
        config = write_config(tmp_path, server, upstream=tls)
        visit = examine(config, "--user", ALICE.name, "--write-test", "/")
    assert visit.returncode == 0, visit.told
    assert visit.told["connections"] == 5


def test_a_server_that_wants_tls(tmp_path: Path) -> None:
    with Vsftpd(tls=Authority(tmp_path).issue()) as server:
        visit = examine(write_config(tmp_path, server), "--user", ALICE.name)
    assert visit.returncode == 1
    assert (visit.first["code"], visit.first["class"]) == ("tls_required", "TLS or certificate")


def test_a_wrong_password(tmp_path: Path) -> None:
    with scene() as (lab, server):
        config = write_config(tmp_path, server)
        visit = examine(config, "--user", ALICE.name, inside=lab, password="wrong-1234")
    assert visit.returncode == 1
    assert (visit.first["code"], visit.first["class"]) == ("login_refused", "login or permission")
    assert "wrong-1234" not in json.dumps(visit.told) + visit.progress


def test_the_servers_limit_of_sessions(tmp_path: Path) -> None:
    with scene(max_per_ip=1) as (lab, server):
        other = lab.client.do(lambda: socket.create_connection((server.host, server.port)))
        with other:
            assert other.recv(3) == b"220"
            visit = examine(write_config(tmp_path, server), "--user", ALICE.name, inside=lab)
    assert visit.returncode == 1
    assert (visit.first["code"], visit.first["class"]) == ("sessions_full", "server limit")
    assert "421" in visit.first["evidence"]
    assert visit.first["evidence"].endswith(": 1")  # who holds it is on this machine


def fetch(weir: Ftpweir, lab: Lab) -> None:
    """List once through the proxy."""
    script = ftplib.FTP(timeout=30)
    lab.client.do(lambda: script.connect(weir.host, weir.port))
    script.login(ALICE.name, ALICE.password)
    lab.client.do(script.nlst)
    script.quit()


def test_a_ban(tmp_path: Path) -> None:
    with (
        scene() as (lab, server),
        Ftpweir(server, netns=lab.client.name, timeouts={"connect": "1s"}) as weir,
    ):
        fetch(weir, lab)
        lab.server.ban(lab.client.address)
        visit = examine(weir.config_file, "--user", ALICE.name, inside=lab)
        assert visit.told["connections"] == 1  # each try may prolong a ban
    assert visit.returncode == 1
    assert (visit.first["code"], visit.first["class"]) == ("banned", "routing or firewall")


def test_an_ftpweir_that_has_died(tmp_path: Path) -> None:
    with scene() as (lab, server):
        config = write_config(tmp_path, server)
        with Ftpweir(server, netns=lab.client.name, state=str(tmp_path / "ftpweir.state")) as weir:
            fetch(weir, lab)
        visit = examine(config, "--user", ALICE.name, inside=lab)
    assert visit.returncode == 1
    assert (visit.first["code"], visit.first["class"]) == ("proxy_gone", "ftpweir itself")
    assert "was last written at" in visit.first["evidence"]


def test_a_ban_that_ftpweir_suspects_is_not_prolonged(tmp_path: Path) -> None:
    with (
        scene() as (lab, server),
        Ftpweir(
            server,
            netns=lab.client.name,
            timeouts={"connect": "500ms"},
            refusals={"delay": "0s"},
            status=f"127.0.0.1:{free_port()}",
        ) as weir,
    ):
        lab.server.run("nft", "-f", "-", text=DROP_PASSIVE)
        script = ftplib.FTP(timeout=30)
        lab.client.do(lambda: script.connect(weir.host, weir.port))
        script.login(ALICE.name, ALICE.password)
        for _ in range(3):
            with pytest.raises(ftplib.error_temp):
                lab.client.do(script.nlst)
        visit = examine(weir.config_file, "--user", ALICE.name, inside=lab)
        script.close()
    assert visit.returncode == 1
    assert visit.first["code"] == "ban_suspected"
    assert "upstream_data 3 times" in json.dumps(visit.told["findings"])
    assert visit.told["connections"] == 1  # a control connection, no data


def test_a_full_disk_at_the_server(tmp_path: Path) -> None:
    with scene() as (lab, server):
        home = str(server.home())
        owner = f"uid={ALICE.number},gid={ALICE.number}"
        mount = f"mount -t tmpfs -o size=4k,mode=755,{owner} none {home}; yes | head -c 9999"
        subprocess.run(
            [program("nsenter"), "-t", str(server.pid), "-m", "sh", "-c", f"{mount} > {home}/fill"],
            check=False,
            capture_output=True,
        )
        visit = examine(
            write_config(tmp_path, server),
            *("--user", ALICE.name, "--write-test", "/"),
            inside=lab,
        )
    assert visit.returncode == 1
    assert (visit.first["code"], visit.first["class"]) == ("storage_full", "server limit")


def test_descriptors_exhausted(tmp_path: Path) -> None:
    with scene() as (lab, server), Ftpweir(server, netns=lab.client.name) as weir:
        in_use = len(os.listdir(f"/proc/{weir.pid}/fd"))
        soft, hard = resource.prlimit(weir.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(weir.pid, resource.RLIMIT_NOFILE, (in_use, hard))
        visit = examine(weir.config_file, "--user", ALICE.name, inside=lab)
        resource.prlimit(weir.pid, resource.RLIMIT_NOFILE, (soft, hard))
    assert visit.returncode == 1
    assert (visit.first["code"], visit.first["class"]) == ("descriptors", "this machine")
    assert f"{in_use} of {in_use} open" in visit.first["evidence"]


def test_sessions_that_ftpweir_holds_itself_are_no_problem(tmp_path: Path) -> None:
    with (
        scene(max_per_ip=1) as (lab, server),
        Ftpweir(server, netns=lab.client.name, upstream={"sessions": 1}) as weir,
    ):
        fetch(weir, lab)
        visit = examine(weir.config_file, "--user", ALICE.name, inside=lab)
    assert visit.returncode == 0
    assert visit.first["code"] == "sessions_ours"


def test_the_servers_sessions_are_counted_when_asked_for(tmp_path: Path) -> None:
    with scene(max_per_ip=3) as (lab, server):
        config = write_config(tmp_path, server, upstream={"sessions": 5})
        visit = examine(config, "--user", ALICE.name, "--probe-limits", inside=lab)
    assert visit.returncode == 1
    assert visit.first["code"] == "sessions_fewer"
    assert visit.first["evidence"].startswith("3 at once")


def test_the_doctor_stays_within_the_budget(tmp_path: Path) -> None:
    with scene() as (lab, server):
        config = write_config(
            tmp_path,
            server,
            upstream={"sessions": 1},
            budget={"connections": 3, "headroom": "0%"},
        )
        visit = examine(config, "--user", ALICE.name, "--probe-limits", inside=lab)
    assert visit.told["connections"] == 3
    assert "budget_full" in visit.codes
