"""Behind a real HAProxy: clients keep their addresses, classes and data connections."""

from __future__ import annotations

import ftplib
import io
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadtest.ports import free_port
from tests.support.programs import program
from tests.support.proxy import Ftpweir
from tests.support.servers import PyFtpd
from tests.support.users import ALICE
from tests.support.waiting import until

CLIENT = "127.0.0.3"  # not the address from which HAProxy connects

pytestmark = pytest.mark.integration


@pytest.fixture(params=["send-proxy", "send-proxy-v2"])
def balanced(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Ftpweir, int]]:
    """Yield the proxy and the port of the HAProxy before it."""
    port, front = free_port("127.0.0.1"), free_port("127.0.0.2")
    listen = {"address": f"127.0.0.1:{port}", "proxy_protocol": "on", "trusted": "127.0.0.1"}
    clients = [{"name": "told", "source": CLIENT}, {"name": "others"}]
    config = tmp_path / "haproxy.cfg"
    config.write_text(
        "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1m\n  timeout server 1m\n"
        f"listen ftp\n  bind 127.0.0.2:{front}\n"
        f"  server weir 127.0.0.1:{port} {request.param} check inter 100ms\n"
    )
    with (
        PyFtpd() as server,
        Ftpweir(server, port=port, listen=[listen], clients=clients) as proxy,
        (tmp_path / "haproxy.log").open("wb") as log,
        subprocess.Popen(
            [program("haproxy"), "-db", "-f", str(config)], stdout=log, stderr=log
        ) as balancer,
    ):
        try:
            until(lambda: _accepts(front), "HAProxy listens")
            yield proxy, front
        finally:
            balancer.kill()


def _accepts(port: int) -> bool:
    with socket.socket() as visitor:
        return visitor.connect_ex(("127.0.0.2", port)) == 0


@pytest.mark.parametrize("is_passive", [True, False], ids=["passive", "active"])
def test_a_client_behind_a_balancer_is_served_as_who_it_is(
    balanced: tuple[Ftpweir, int], is_passive: bool
) -> None:
    proxy, front = balanced
    with ftplib.FTP(timeout=20, source_address=(CLIENT, 0)) as client:
        client.connect("127.0.0.2", front)
        client.login(ALICE.name, ALICE.password)
        client.set_pasv(is_passive)
        if is_passive:
            # Data goes straight to the proxy, whose address PASV tells.
            client.trust_server_pasv_ipv4_address = True  # type: ignore[attr-defined]  # it has it
        client.storbinary("STOR up.bin", io.BytesIO(b"content"))
        got = io.BytesIO()
        client.retrbinary("RETR up.bin", got.write)
        assert got.getvalue() == b"content"
    ended = _event(proxy, "session ended", lambda event: event.get("user") == ALICE.name)
    assert (ended["source"], ended["client_class"]) == (CLIENT, "told")
    assert (ended["transfers"], ended["reason"]) == (2, "quit")


def test_who_comes_past_the_balancer_is_who_he_is(balanced: tuple[Ftpweir, int]) -> None:
    proxy, _ = balanced
    with ftplib.FTP(timeout=20, source_address=("127.0.0.4", 0)) as client:
        client.connect("127.0.0.1", proxy.port)
        client.login(ALICE.name, ALICE.password)
        with pytest.raises(ftplib.error_perm):
            client.sendcmd(f"PROXY TCP4 {CLIENT} 127.0.0.1 40000 {proxy.port}")
    ended = _event(proxy, "session ended", lambda event: event.get("source") == "127.0.0.4")
    assert ended["client_class"] == "others"


def test_health_checks_of_the_balancer_are_no_news(balanced: tuple[Ftpweir, int]) -> None:
    proxy, front = balanced
    with ftplib.FTP(timeout=20) as client:
        client.connect("127.0.0.2", front)  # after some checks
    assert "proxy header refused" not in proxy.log


def _event(
    proxy: Ftpweir, name: str, fits: Callable[[dict[str, object]], bool]
) -> dict[str, object]:
    """Wait for the log's line of this name that fits."""

    def found() -> list[dict[str, object]]:
        return [event for event in proxy.events(name) if fits(event)]

    until(found, f"the log says {name!r}")
    return found()[0]
