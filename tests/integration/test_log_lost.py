"""A log that cannot be written costs nobody a transfer: its lines are lost, counted and told of."""

from __future__ import annotations

import fcntl
import ftplib
import io
import json
import os
from collections.abc import Iterator

import pytest

from loadtest.ports import free_port
from tests.support.page import Page
from tests.support.proxy import Ftpweir
from tests.support.servers import PyFtpd
from tests.support.users import ALICE
from tests.support.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture
def server() -> Iterator[PyFtpd]:
    with PyFtpd() as server:
        server.place("file.bin", b"content")
        yield server


def fetch(weir: Ftpweir) -> None:
    """Log in, fetch a file, leave."""
    content = io.BytesIO()
    with ftplib.FTP(timeout=20) as client:
        client.connect(weir.host, weir.port)
        client.login(ALICE.name, ALICE.password)
        client.retrbinary("RETR file.bin", content.write)
        client.quit()
    assert content.getvalue() == b"content"


def lost(weir: Ftpweir, status: str) -> float:
    page = Page(status, weir.config_file)
    return page.sum_of("ftpweir_events_missed_total", listener="log")


def test_where_the_disk_of_the_log_is_full_everybody_is_served(server: PyFtpd) -> None:
    status = f"127.0.0.1:{free_port()}"
    with (
        open("/dev/full", "wb", buffering=0) as full,
        Ftpweir(server, stderr=full.fileno(), status=status) as weir,
    ):
        fetch(weir)
        fetch(weir)
        until(lambda: lost(weir, status) >= 4, "two transfers and sessions are lost to it")
        weir.stop()
        assert weir.returncode == 0


def test_a_reader_of_the_log_that_stands_still_stops_nobody_and_later_reads_what_it_has_missed(
    server: PyFtpd,
) -> None:
    status = f"127.0.0.1:{free_port()}"
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 8192)
    try:
        with Ftpweir(server, stderr=writer, status=status) as weir:
            while not lost(weir, status):
                fetch(weir)
            os.read(reader, 8192)
            fetch(weir)
            lines = os.read(reader, 8192).splitlines()
            told = [json.loads(line) for line in lines if line.startswith(b"{")]
            (loss,) = (line for line in told if line["event"] == "lines lost")
            assert loss["why"] == "nobody reads it"
            until(lambda: lost(weir, status) == loss["lines"], "it told of all of them")
    finally:
        os.close(reader)
        os.close(writer)
