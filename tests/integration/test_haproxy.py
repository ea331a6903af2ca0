"""Behind config/deploy/haproxy.cfg and passive.nft data connections find the right ftpweir."""

from __future__ import annotations

import ftplib
from collections.abc import Iterator
from functools import partial

import pytest

from tests.support.client import Client, Target
from tests.support.clients import Curl, Ftplib, Lftp
from tests.support.proxy import Ftpweir
from tests.support.servers import Vsftpd
from tests.support.site import FIRST, FRONT, SECOND, Site, site
from tests.support.users import ALICE

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(120)]

CONTENT = bytes(range(256)) * 400
MOST_ROUNDS = 20
WAYS = [Curl, Lftp, Ftplib]  # EPSV; PASV; PASV, and the address that it knows


@pytest.fixture(scope="module")
def weirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, list[Ftpweir]]]:
    """Yield the machines and both ftpweirs."""
    with (
        site() as place,
        Vsftpd(host=place.server.address, netns=place.server.name) as server,
        place.instance(server, FIRST) as first,
        place.instance(server, SECOND) as second,
        place.balanced(tmp_path_factory.mktemp("haproxy")),
    ):
        yield place, [first, second]


def carried(weir: Ftpweir) -> list[tuple[str, str]]:
    """What it has carried so far, and for whom."""
    return [(event["verb"], event["source"]) for event in weir.events("transfer ended")]


@pytest.mark.parametrize("way", WAYS)
def test_real_clients_store_and_fetch_through_both_as_who_they_are(
    weirs: tuple[Site, list[Ftpweir]], way: type[Client]
) -> None:
    place, both = weirs
    client, front = way(netns=place.clients.name), Target(FRONT, 21)
    before = [len(carried(weir)) for weir in both]
    for _ in range(MOST_ROUNDS):
        # Each call is a session, and HAProxy deals them out: three, so that not the same one always
        # stores, and the other fetches.
        place.clients.do(partial(client.put, front, "file", CONTENT))
        assert place.clients.do(partial(client.get, front, "file")) == CONTENT
        assert "file" in place.clients.do(partial(client.list, front))
        new = [carried(weir)[known:] for weir, known in zip(both, before, strict=True)]
        if all({"STOR", "RETR"} <= {verb for verb, _ in own} for own in new):
            break
    else:
        pytest.fail(f"not both have stored and fetched: {new}")
    assert {source for own in new for _, source in own} == {place.clients.address}


def test_pasv_tells_the_address_that_clients_know(weirs: tuple[Site, list[Ftpweir]]) -> None:
    place, _ = weirs

    def told() -> str:
        with ftplib.FTP(timeout=20) as ftp:
            ftp.connect(FRONT, 21)
            ftp.login(ALICE.name, ALICE.password)
            return ftp.sendcmd("PASV")

    assert f"({FRONT.replace('.', ',')}," in place.clients.do(told)
