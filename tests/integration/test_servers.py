"""Several real servers behind one proxy, chosen in every way at once."""

from __future__ import annotations

import ftplib
import hashlib
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from loadtest.ports import free_port
from tests.support.backend import Backend
from tests.support.batch import Batch
from tests.support.page import Page
from tests.support.proxy import Ftpweir
from tests.support.redis import RedisServer
from tests.support.servers import ProFtpd, PureFtpd, Vsftpd
from tests.support.users import ALICE, BOB, User
from tests.support.watching import Sampler

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(120)]

NAME = "which.txt"


@contextmanager
def weir_before(
    first: Backend, by_port: Backend, by_name: Backend, **more: Any
) -> Iterator[tuple[Ftpweir, int]]:
    """Run ftpweir before three servers; return it and the port of the second one."""
    port, own = free_port("127.0.0.1"), free_port("127.0.0.1")
    servers = [
        {"name": "by-port", "match": {"listen": f"127.0.0.1:{own}"}, **upstream(by_port)},
        {"name": "by-host", "match": {"host": "ftp3"}, **upstream(by_name)},
        {"name": "by-user", "match": {"user": BOB.name}, **upstream(by_name)},
    ]
    listen = [f"127.0.0.1:{port}", f"127.0.0.1:{own}"]
    with Ftpweir(
        first,
        port=port,
        listen=listen,
        upstream={"sessions": 1},
        servers=servers,
        budget={"connections": 1000, "time_wait": "1s"},
        **more,
    ) as weir:
        yield weir, own


def upstream(server: Backend) -> dict[str, object]:
    return {"upstream": {"host": server.host, "port": server.port}}


def content(weir: Ftpweir, user: User, *, port: int = 0, suffix: str = "") -> bytes:
    """Fetch the file by which the servers differ."""
    received = io.BytesIO()
    with ftplib.FTP(timeout=30) as ftp:
        ftp.connect(weir.host, port or weir.port)
        ftp.login(user.name + suffix, user.password)
        ftp.retrbinary(f"RETR {NAME}", received.write)
    return received.getvalue()


def test_each_client_gets_its_server_by_port_by_login_or_by_host() -> None:
    with Vsftpd() as first, ProFtpd() as second, PureFtpd() as third:
        for server in (first, second, third):
            server.place(NAME, server.kind.encode())
            server.place(NAME, server.kind.encode(), user=BOB)
        with weir_before(first, second, third) as (weir, own):
            assert content(weir, ALICE) == b"vsftpd"
            assert content(weir, ALICE, port=own) == b"proftpd"
            assert content(weir, ALICE, suffix="@ftp3") == b"pure-ftpd"
            assert content(weir, BOB) == b"pure-ftpd"
            with pytest.raises(ftplib.error_perm, match="530 No such server here for ftp4"):
                content(weir, ALICE, suffix="@ftp4")
        assert weir.returncode == 0


@contextmanager
def single() -> Iterator[dict[str, Any]]:
    """One process needs nothing."""
    yield {}


@contextmanager
def workers() -> Iterator[dict[str, Any]]:
    """Two processes share each server's sessions by a store."""
    with RedisServer() as redis:
        sharing = {"lease": "3s", "recovery": "1s"}
        yield {"workers": 2, "store": redis.url, "sharing": sharing}


@pytest.mark.parametrize("processes", [single, workers])
def test_the_limits_of_one_server_are_kept_beside_the_other(
    processes: Callable[[], AbstractContextManager[dict[str, Any]]],
) -> None:
    """Scripts of both at once: each server sees no more sessions than it allows, and one page
    tells what became of both."""
    place = f"127.0.0.1:{free_port('127.0.0.1')}"
    expected = hashlib.sha256(b"content " * 500).hexdigest()
    with Vsftpd(max_per_ip=1) as first, Vsftpd(max_per_ip=1) as second, processes() as more:
        for server in (first, second):
            server.place("file.bin", b"content " * 500)
        with (
            weir_before(first, second, second, status=place, **more) as (weir, own),
            Sampler(first.sessions) as ours,
            Sampler(second.sessions) as theirs,
            ThreadPoolExecutor() as pool,
        ):
            batches = [
                Batch(weir.host, port, ALICE.name, ALICE.password, 10, 20)
                for port in (weir.port, own)
            ]
            done = list(pool.map(Batch.run, batches))
            page = Page(place, weir.config_file)
            for name in ("", "by-port"):
                assert page.sum_of("ftpweir_transfers_total", server=name, result="done") == 20
            limits = {
                one.get("server", ""): one["limit"] for one in page.told("upstream")["machines"]
            }
            assert (limits[""], limits["by-port"]) == (1, 1)
        assert [one.errors for one in done] == [[], []]
        assert [one.digests for one in done] == [[expected], [expected]]
        assert (ours.most, theirs.most) == (1, 1)
