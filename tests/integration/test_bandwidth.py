"""Rates before a real server: kept, used, and shared fairly. Figures are printed: `pytest -rP`."""

from __future__ import annotations

import ftplib
import hashlib
import os
import selectors
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

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


def read_for(seconds: float, streams: list[socket.socket]) -> list[int]:
    """Read whatever comes; return the bytes of each."""
    counts = dict.fromkeys(streams, 0)
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ, stream)
        while (left := end - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                counts[key.data] += len(key.data.recv(MIB))
    return list(counts.values())


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
    upstream = {"sessions": 8, "bandwidth": "8MiB/s"}
    sources = ["127.0.0.2", "127.0.0.3", "127.0.0.3", "127.0.0.3"]
    with (
        Ftpweir(server, upstream=upstream, budget=FREE, clients=CLASSES) as weir,
        ExitStack() as open_ones,
    ):
        scripts = [open_ones.enter_context(closing(log_in(weir, source))) for source in sources]
        streams = [open_ones.enter_context(ftp.transfercmd("RETR big")) for ftp in scripts]
        read_for(1.0, streams)  # what came for the first while the last began
        heavy, *light = read_for(4.0, streams)
    ratio = heavy / sum(light)
    sys.stdout.write(f"{(heavy + sum(light)) / MIB:.2f} MiB, shared {ratio:.2f} to 1\n")
    assert 2.5 <= ratio <= 3.5
    assert max(light) <= 1.25 * min(light)
