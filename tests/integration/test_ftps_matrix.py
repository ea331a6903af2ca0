"""Real clients in TLS, and one in clear, before real servers that demand TLS and session reuse.

All clients at once fetch and store so many files each, over two sessions with the server. With
FTPWEIR_FTPS=all in the environment: a hundred each way, and every version in every mode; without it
a run that tried every pairing rewrites its part of docs/COMPATIBILITY.md.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import pytest

from tests.support.authority import Authority, Pem
from tests.support.backend import Backend
from tests.support.client import Target
from tests.support.compatibility import Results, TlsPairing, write_in_tls
from tests.support.namespaces import Lab, inside
from tests.support.programs import program
from tests.support.proxy import Ftpweir
from tests.support.servers import SERVERS, ProFtpd, PyFtpd, Vsftpd
from tests.support.sockets import State
from tests.support.tls_clients import TLS_CLIENTS, Errand, python_in_clear
from tests.support.users import ALICE

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(300)]

TAKES_ALL = os.environ.get("FTPWEIR_FTPS") == "all"
FILES = 100 if TAKES_ALL else 15
WAYS = (
    list(product(("1.2", "1.3"), ("passive", "active")))
    if TAKES_ALL
    else [("1.2", "active"), ("1.3", "passive")]
)
# In active mode pyftpdlib stalls now and then, with and without TLS.
PAIRINGS = tuple(
    TlsPairing(client, kind, version, "passive" if kind is PyFtpd else upstream)
    for client, kind, (version, upstream) in product(TLS_CLIENTS, SERVERS, WAYS)
)
ADDRESS = "127.0.0.2"  # not the servers'
UP_TO_1_2 = """\
openssl_conf = settings
[settings]
ssl_conf = sections
[sections]
system_default = bounds
[bounds]
MaxProtocol = TLSv1.2
"""


@pytest.fixture(scope="module")
def results() -> Iterator[Results[TlsPairing]]:
    found: Results[TlsPairing] = Results()
    yield found
    if found.cover(PAIRINGS) and not TAKES_ALL:
        write_in_tls(found, PAIRINGS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ftps")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture(scope="module")
def pem(authority: Authority) -> Pem:
    return authority.issue()


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    chance = random.Random(7)
    sizes = [0, 1, 16_383, 16_384, 16_385, 1_500_000]
    sizes += [chance.randrange(40_000) for _ in range(FILES - len(sizes))]
    return {f"file-{number}": os.urandom(size) for number, size in enumerate(sizes)}


@pytest.fixture(scope="module")
def servers(pem: Pem, contents: dict[str, bytes]) -> Iterator[dict[type[Backend], Backend]]:
    """All kinds, demanding TLS."""
    with ExitStack() as stack:
        running = {kind: stack.enter_context(kind(tls=pem)) for kind in SERVERS}
        for server in running.values():
            for name, content in contents.items():
                server.place(name, content)
        yield running


def listening(pem: Pem, version: str) -> dict[str, str]:
    least = "1.3" if version == "1.3" else "1.2"
    return {"tls": "explicit", "certificate": str(pem.certificate), "min_version": least}


def environment(folder: Path, version: str) -> dict[str, str]:
    """No setting forbids TLS 1.3, but the library's own does."""
    if version != "1.2":
        return {}
    (folder / "openssl.cnf").write_text(UP_TO_1_2)
    return {"OPENSSL_CONF": str(folder / "openssl.cnf")}


@pytest.mark.parametrize(("version", "upstream"), WAYS)
@pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.kind)
def test_clients_in_tls_fetch_and_store_before_a_server_that_demands_it(
    kind: type[Backend],
    version: str,
    upstream: str,
    servers: dict[type[Backend], Backend],
    authority: Authority,
    pem: Pem,
    contents: dict[str, bytes],
    results: Results[TlsPairing],
    tmp_path: Path,
) -> None:
    server = servers[kind]
    if kind is PyFtpd:
        upstream = "passive"
    with Ftpweir(
        server,
        host=ADDRESS,
        environment=environment(tmp_path, version),
        listen=listening(pem, version),
        upstream={
            "data": upstream,
            "tls": "explicit",
            "ca": str(authority.ca),
            "min_version": "1.3" if version == "1.3" else "1.2",
        },
        budget={"enforce": "off", "time_wait": "0s"},  # few ports, and nothing to wait for
    ) as weir:

        def send(client: str) -> None:
            pairing = TlsPairing(client, kind, version, upstream)
            results.trying(pairing, "fetch and store")
            own = tmp_path / client
            own.mkdir()
            prefix = client.replace(" ", "-")
            given = {f"{prefix}-{name}": content for name, content in contents.items()}
            for name, content in given.items():
                (own / name).write_bytes(content)
            target = Target(weir.host, weir.port)
            fetch, store = list(contents), list(given)
            asked = TLS_CLIENTS[client]
            asked.deed(Errand(target, authority.ca, version, own, fetch, store, asked.mode))
            for name, content in contents.items():
                assert (own / name).read_bytes() == content, f"{client} fetched {name}"
            for name, content in given.items():
                stored = server.home() / name
                assert stored.read_bytes() == content, f"{client} stored {name}"
                stored.unlink()
            results.done(pairing)

        with ThreadPoolExecutor(len(TLS_CLIENTS)) as pool:
            list(pool.map(send, TLS_CLIENTS))
        assert not weir.log_contains('"level": "(warning|error)"')
        spoken = f'"tls": "TLSv{version}"'
        assert weir.log_contains(f'{spoken}.*"upstream session opened"')
        assert weir.log_contains(f'{spoken}.*"session ended"')


@pytest.mark.parametrize("kind", [Vsftpd, ProFtpd], ids=lambda kind: kind.kind)
def test_implicit_tls_works_towards_the_server_as_well(
    kind: type[Backend],
    authority: Authority,
    pem: Pem,
    contents: dict[str, bytes],
    tmp_path: Path,
) -> None:
    tls = {"tls": "implicit", "ca": str(authority.ca)}
    with (
        kind(tls=pem, is_implicit=True) as server,
        Ftpweir(server, upstream=tls, budget={"enforce": "off"}) as weir,
    ):
        names = list(contents)[:20]
        for name in names:
            server.place(name, contents[name])
        target = Target(weir.host, weir.port)
        python_in_clear(Errand(target, authority.ca, "", tmp_path, names, []))
        for name in names:
            assert (tmp_path / name).read_bytes() == contents[name]


@pytest.mark.parametrize("upstream", ["passive", "active"])
@pytest.mark.parametrize("kind", [Vsftpd, ProFtpd], ids=lambda kind: kind.kind)
def test_commands_run_ahead_in_tls_as_in_clear(
    kind: type[Backend],
    upstream: str,
    servers: dict[type[Backend], Backend],
    authority: Authority,
    contents: dict[str, bytes],
    tmp_path: Path,
) -> None:
    """Two scripts on one session: each goes ahead of the other's final reply."""
    tls = {"tls": "explicit", "ca": str(authority.ca), "sessions": 1, "data": upstream}
    ahead = {**tls, "pipelining": "on"}
    with Ftpweir(servers[kind], host=ADDRESS, upstream=ahead, budget={"enforce": "off"}) as weir:

        def script(number: int) -> None:
            own = tmp_path / str(number)
            own.mkdir()
            target, names = Target(weir.host, weir.port), list(contents)
            python_in_clear(Errand(target, authority.ca, "", own, names, []))
            for name in names:
                assert (own / name).read_bytes() == contents[name]

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(script, range(2)))
        assert not weir.log_contains('"level": "(warning|error)"')


def test_50_scripts_share_two_sessions_with_a_server_that_demands_reuse(
    servers: dict[type[Backend], Backend],
    authority: Authority,
    contents: dict[str, bytes],
    tmp_path: Path,
) -> None:
    server = servers[Vsftpd]
    tls = {"tls": "explicit", "ca": str(authority.ca), "sessions": 2}
    with Ftpweir(server, host=ADDRESS, upstream=tls, budget={"enforce": "off"}) as weir:

        def script(number: int) -> None:
            own = tmp_path / str(number)
            own.mkdir()
            names = random.Random(number).sample(list(contents), 6)
            given = f"script-{number}"
            (own / given).write_bytes(contents[names[0]])
            target = Target(weir.host, weir.port)
            python_in_clear(Errand(target, authority.ca, "", own, names, [given]))
            for name in names:
                assert (own / name).read_bytes() == contents[name]
            assert (server.home() / given).read_bytes() == contents[names[0]]

        most = 0
        with ThreadPoolExecutor(50) as pool:
            running = [pool.submit(script, number) for number in range(50)]
            while not all(one.done() for one in running):
                most = max(most, server.sessions())
            for one in running:
                one.result()
        assert 1 <= most <= 2
        assert not weir.log_contains('"level": "(warning|error)"')


@pytest.mark.parametrize("client", ["curl", "lftp"])
def test_a_class_in_clear_is_refused_with_words_and_served_in_tls(
    client: str,
    servers: dict[type[Backend], Backend],
    authority: Authority,
    pem: Pem,
    contents: dict[str, bytes],
    tmp_path: Path,
) -> None:
    strict = [{"name": "strict", "user": [ALICE.name], "require": "data"}, {"name": "everyone"}]
    upstream = {"tls": "explicit", "ca": str(authority.ca)}
    with Ftpweir(
        servers[Vsftpd],
        host=ADDRESS,
        listen=listening(pem, "1.3"),
        upstream=upstream,
        clients=strict,
        refusals={"delay": "100ms"},
    ) as weir:
        target = Target(weir.host, weir.port)
        refused = IN_CLEAR[client](target.url("file-1"), tmp_path)
        assert "A login needs TLS here (clients.require)" in refused
        names = ["file-1", "file-5"]
        (tmp_path / client).write_bytes(contents["file-5"])
        TLS_CLIENTS[client].deed(Errand(target, authority.ca, "1.3", tmp_path, names, [client]))
        for name in names:
            assert (tmp_path / name).read_bytes() == contents[name]
        assert {event["reason"] for event in weir.events("refused")} == {"tls_login"}


def _in_clear(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    return done.stdout + done.stderr


IN_CLEAR: dict[str, Callable[[str, Path], str]] = {
    "curl": lambda url, folder: _in_clear(program("curl"), "-v", url, "-o", str(folder / "x")),
    "lftp": lambda url, folder: _in_clear(
        program("lftp"), "-d", "-c", f"set ftp:ssl-allow no; set net:max-retries 1; cat {url}"
    ),
}


@pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.kind)
def test_downloads_in_tls_that_end_by_reset_leave_no_time_wait(
    kind: type[Backend], authority: Authority, contents: dict[str, bytes], tmp_path: Path
) -> None:
    names = list(contents)
    with (
        Lab() as lab,
        kind(
            host=lab.server.address,
            netns=lab.server.name,
            tls=authority.issue(lab.server.address),
        ) as server,
        Ftpweir(
            server,
            host=lab.client.address,
            netns=lab.client.name,
            upstream={"tls": "explicit", "ca": str(authority.ca)},
            budget={"connections": 1000, "profile": "csf", "close": "reset"},
        ) as weir,
    ):
        for name in names:
            server.place(name, contents[name])
        errand = Errand(Target(weir.host, weir.port), authority.ca, "", tmp_path, names, [])
        inside(lab.client.name, lambda: python_in_clear(errand))
        for name in names:
            assert (tmp_path / name).read_bytes() == contents[name]
        assert lab.server.count(states=frozenset({State.TIME_WAIT})) == 0
