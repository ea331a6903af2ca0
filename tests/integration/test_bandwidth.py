"""Rates before a real server: kept, used, and shared fairly. Figures are printed: `pytest -rP`."""

from __future__ import annotations

import ftplib
import hashlib
import os
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from proxy.shaping.bandwidth import DEPTH
from tests.integration.conftest import Servers
from tests.support.proxy import Ftpweir
from tests.support.servers import Vsftpd
from tests.support.users import ALICE

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(120)]

MIB = 1 << 20
CLASSES = [
    {"name": "heavy", "source": ["127.0.0.2"], "weight": 3},
    {"name": "everyone", "bandwidth": "8MiB/s"},
]
FREE = {"enforce": "off"}


def log_in(weir: Ftpweir, source: str) -> ftplib.FTP:
    """Log in as a script that comes from `source`."""
    ftp = ftplib.FTP()
    ftp.connect(weir.host, weir.port, source_address=(source, 0), timeout=60)
    ftp.login(ALICE.name, ALICE.password)
    ftp.voidcmd("TYPE I")
    return ftp


def read_until(weir: Ftpweir, source: str, end: float) -> int:
    """Download up to a moment; return the bytes of its last three quarters."""
    counted_from = time.monotonic() + (end - time.monotonic()) / 4
    count = 0
    with closing(log_in(weir, source)) as ftp, ftp.transfercmd("RETR big") as data:
        while (now := time.monotonic()) < end:
            read = len(data.recv(MIB))
            count += read if now >= counted_from else 0
    return count


def test_up_and_down_of_one_source_together_keep_its_rate(servers: Servers) -> None:
    server = servers(Vsftpd)
    content = os.urandom(6 * MIB)
    server.place("band.bin", content)
    with Ftpweir(server, budget=FREE, clients=CLASSES) as weir, ThreadPoolExecutor() as threads:

        def download() -> bytes:
            got = bytearray()
            with log_in(weir, "127.0.0.3") as ftp:
                ftp.retrbinary("RETR band.bin", got.extend)
            return bytes(got)

        def upload() -> None:
            with log_in(weir, "127.0.0.3") as ftp, ftp.transfercmd("STOR band.up") as data:
                data.sendall(content)
                data.close()
                ftp.voidresp()

        started = time.monotonic()
        down, up = threads.submit(download), threads.submit(upload)
        up.result()
        got = down.result()
        seconds = time.monotonic() - started
    assert hashlib.sha256(got).digest() == hashlib.sha256(content).digest()
    assert (server.home() / "band.up").read_bytes() == content
    sys.stdout.write(f"12 MiB at 8 MiB/s took {seconds:.2f} s\n")
    assert 8 * MIB * (seconds + DEPTH) >= 12 * MIB


def test_sources_share_the_total_by_weight_however_many_transfers_they_run(
    servers: Servers,
) -> None:
    server = servers(Vsftpd)
    server.place("big", bytes(64 * MIB))
    end = time.monotonic() + 5.0
    upstream = {"sessions": 8, "bandwidth": "8MiB/s"}
    with (
        Ftpweir(server, upstream=upstream, budget=FREE, clients=CLASSES) as weir,
        ThreadPoolExecutor() as threads,
    ):
        sources = ["127.0.0.2", "127.0.0.3", "127.0.0.3", "127.0.0.3"]
        running = [(source, threads.submit(read_until, weir, source, end)) for source in sources]
        moved: Counter[str] = Counter()
        for source, one in running:
            moved[source] += one.result()
    heavy, light = moved["127.0.0.2"], moved["127.0.0.3"]
    sys.stdout.write(f"{(heavy + light) / MIB:.2f} MiB, shared {heavy / light:.2f} to 1\n")
    assert 2.5 <= heavy / light <= 3.5
    each = [one.result() for source, one in running if source == "127.0.0.3"]
    assert max(each) <= 1.25 * min(each)
