"""A real server whose only session somebody else holds: its own words reach the script."""

from __future__ import annotations

import ftplib

import pytest

from tests.support.backend import Backend
from tests.support.proxy import Ftpweir
from tests.support.servers import ProFtpd, PureFtpd, Vsftpd
from tests.support.users import ALICE

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(120)]

WORDS: dict[type[Backend], str] = {
    Vsftpd: "There are too many connections from your internet address",
    PureFtpd: "Too many connections (1) from this IP",
    ProFtpd: "Sorry, the maximum number of clients (1) from your host",
}
MAX_WAIT = "3s"


@pytest.mark.parametrize("kind", WORDS, ids=lambda kind: kind.kind)
def test_the_script_hears_why_the_server_had_no_session_for_it(kind: type[Backend]) -> None:
    with (
        kind(max_per_ip=1) as server,
        Ftpweir(server, upstream={"sessions": 1}, queue={"max_wait": MAX_WAIT}) as proxy,
        ftplib.FTP() as another,
        ftplib.FTP() as script,
    ):
        another.connect(server.host, server.port)
        another.login(ALICE.name, ALICE.password)
        script.connect(proxy.host, proxy.port, timeout=60)
        with pytest.raises(ftplib.error_temp) as caught:
            script.login(ALICE.name, ALICE.password)
        heard = str(caught.value)
        assert heard.startswith(f"421 Server refuses: {WORDS[kind]}")
        assert ", try again later" in heard


@pytest.mark.parametrize("kind", WORDS, ids=lambda kind: kind.kind)
def test_the_script_only_waits_for_a_session_that_somebody_gives_back(kind: type[Backend]) -> None:
    with (
        kind(max_per_ip=1) as server,
        Ftpweir(server, upstream={"sessions": 1}) as proxy,
        ftplib.FTP() as another,
        ftplib.FTP() as script,
    ):
        another.connect(server.host, server.port)
        another.login(ALICE.name, ALICE.password)
        script.connect(proxy.host, proxy.port, timeout=60)
        script.sendcmd(f"USER {ALICE.name}")
        script.putcmd(f"PASS {ALICE.password}")
        proxy.wait_for_log("upstream refused a session")
        another.quit()
        assert script.getresp().startswith("230")
