"""`budget.close: reset`: what it leaves on the server, and that no server minds."""

from __future__ import annotations

import hashlib
import os

import pytest

from tests.support.backend import Backend
from tests.support.batch import Batch
from tests.support.namespaces import Lab
from tests.support.proxy import Ftpweir
from tests.support.servers import ProFtpd, PureFtpd, PyFtpd, Vsftpd
from tests.support.sockets import State
from tests.support.users import ALICE

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(120)]

FILES = 100
SERVERS = [Vsftpd, PureFtpd, ProFtpd, PyFtpd]


def time_waits(kind: type[Backend], close: str) -> int:
    """Fetch FILES files through ftpweir, all right; return the TIME_WAITs on the server's side."""
    content = os.urandom(3000)
    with (
        Lab() as lab,
        kind(host=lab.server.address, netns=lab.server.name) as server,
        Ftpweir(
            server,
            netns=lab.client.name,
            upstream={"sessions": 2},
            budget={"connections": 1000, "profile": "csf", "close": close},
        ) as weir,
    ):
        server.place("file.bin", content)
        done = Batch(weir.host, weir.port, ALICE.name, ALICE.password, 4, FILES).run(
            lab.client.inside([])
        )
        assert done.errors == []
        assert done.digests == [hashlib.sha256(content).hexdigest()]
        assert len(done.finished) == FILES
        return lab.server.count(states=frozenset({State.TIME_WAIT}))


@pytest.mark.parametrize("kind", SERVERS)
def test_downloads_that_end_by_reset_leave_no_time_wait(kind: type[Backend]) -> None:
    assert time_waits(kind, "reset") == 0


def test_downloads_that_end_by_fin_leave_one_each() -> None:
    # Each also in vsftpd's own table, so the count above is known to see them.
    assert time_waits(Vsftpd, "fin") >= FILES
