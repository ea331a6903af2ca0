"""Every real client, in every mode it has, before every real server, through ftpweir in both modes.

A run that tried every pairing rewrites docs/COMPATIBILITY.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from itertools import product

import pytest

from tests.support.backend import Backend
from tests.support.client import Target
from tests.support.clients import CLIENTS, Wget
from tests.support.compatibility import Pairing, Results, write_in_clear
from tests.support.proxy import Ftpweir
from tests.support.servers import SERVERS
from tests.support.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.root]

Servers = Callable[[type[Backend]], Backend]
Proxies = Callable[[type[Backend], str], Ftpweir]

PAIRINGS = tuple(
    Pairing(client, server, upstream)
    for client, server, upstream in product(CLIENTS, SERVERS, ("passive", "active"))
)
SIZE = 300_000  # more than fits into any buffer on the way at once
ADDRESS = "127.0.0.2"  # not the servers', so that both sides' data connections can be told apart
VERBS = {"passive": {"PASV", "EPSV"}, "active": {"PORT", "EPRT"}}


@pytest.fixture(scope="module")
def results() -> Iterator[Results[Pairing]]:
    found: Results[Pairing] = Results()
    yield found
    if found.cover(PAIRINGS):
        write_in_clear(found, PAIRINGS)


@pytest.fixture(scope="module")
def proxies(servers: Servers) -> Iterator[Proxies]:
    running: dict[tuple[type[Backend], str], Ftpweir] = {}
    with ExitStack() as stack:

        def proxy(kind: type[Backend], upstream: str) -> Ftpweir:
            if (kind, upstream) not in running:
                weir = Ftpweir(servers(kind), host=ADDRESS, upstream={"data": upstream})
                running[kind, upstream] = stack.enter_context(weir)
            return running[kind, upstream]

        yield proxy


@pytest.mark.parametrize("pairing", PAIRINGS, ids=str)
def test_a_client_lists_gets_and_puts_through_ftpweir(
    pairing: Pairing, servers: Servers, proxies: Proxies, results: Results[Pairing]
) -> None:
    client, server = pairing.client, servers(pairing.server)
    results.trying(pairing, "start")
    weir = proxies(pairing.server, pairing.upstream)
    target = Target(weir.host, weir.port)
    content = os.urandom(SIZE)
    name = f"{pairing}.bin"
    server.place(name, content)
    logged, connected = len(server.log_text()), weir.passive_data()

    results.trying(pairing, "list")
    assert name in client.list(target)
    results.trying(pairing, "get")
    assert sha256(client.get(target, name)).digest() == sha256(content).digest()
    if not isinstance(client, Wget):
        results.trying(pairing, "put")
        client.put(target, f"put-{name}", content)
        # Read at once: 226 means that the server has all of it (RFC 959 section 5.4).
        stored = server.home() / f"put-{name}"
        assert sha256(stored.read_bytes()).digest() == sha256(content).digest()

    results.trying(pairing, "mode")
    until(lambda: server.data_verbs(logged), f"{server.kind} logs how data came")
    assert server.data_verbs(logged) <= VERBS[pairing.upstream]
    # A client that quietly fell back to passive mode would have connected to our listeners.
    assert bool(weir.passive_data() - connected) == client.passive
    results.done(pairing)
