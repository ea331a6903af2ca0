"""A state file that cannot grow holds transfers back: nothing is lost or stops for good."""

from __future__ import annotations

import ftplib
import io
from pathlib import Path

import pytest

from tests.support.disks import disk
from tests.support.proxy import Ftpweir
from tests.support.servers import Vsftpd
from tests.support.users import ALICE
from tests.support.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(120)]

ROWS = 1024  # that a state file begins with, and grows by
ONE_TABLE = 32 * 1024  # bytes: room for so many rows, not for twice as many


def test_a_disk_that_is_full_refuses_transfers_until_there_is_room_and_loses_no_session(
    tmp_path: Path,
) -> None:
    budget = {"connections": 500, "time_wait": "240s", "headroom": "0%"}
    with (
        disk(tmp_path, ONE_TABLE) as small,
        Vsftpd() as server,
        Ftpweir(
            server,
            upstream={"sessions": 2},
            state=str(tmp_path / "state"),
            budget=budget,
            queue={"max_wait": "100ms"},
        ) as weir,
        ftplib.FTP() as client,
    ):
        server.place("file.bin", b"content")
        weir.reload(budget=budget | {"connections": 4 * ROWS})
        until(lambda: '"reloaded"' in weir.log, "it has reloaded")
        client.connect(weir.host, weir.port)
        client.login(ALICE.name, ALICE.password)
        assert fetches(client, most=2 * ROWS) == pytest.approx(ROWS, abs=4)
        for _ in range(3 * 2):  # more often than there are sessions that could be lost
            with pytest.raises(ftplib.error_temp, match="^425 Disk of the proxy is full"):
                fetch(client)
        client.voidcmd("NOOP")
        small.resize(4 * ONE_TABLE)
        assert fetches(client, most=100) == 100


def fetches(client: ftplib.FTP, most: int) -> int:
    """Return how many are served before one is refused."""
    for served in range(most):
        try:
            fetch(client)
        except ftplib.error_temp:
            return served
    return most


def fetch(client: ftplib.FTP) -> None:
    content = io.BytesIO()
    client.retrbinary("RETR file.bin", content.write)
    assert content.getvalue() == b"content"
