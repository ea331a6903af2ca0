"""The network breaks connections, and the server dies: no script that fetches or stores notices."""

from __future__ import annotations

import ftplib
import hashlib
import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadtest.lab.namespaces import Lab, Side, lab
from tests.support import sockets
from tests.support.backend import Backend
from tests.support.harvest import Harvest
from tests.support.namespaces import inside
from tests.support.proxy import Ftpweir
from tests.support.servers import ProFtpd, PureFtpd, PyFtpd, Vsftpd
from tests.support.users import ALICE

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(300)]

SERVERS = [Vsftpd, PureFtpd, ProFtpd, PyFtpd]
# FTPWEIR_HARVEST=1000 and FTPWEIR_LARGEST=50000000 make it the run of docs/RELIABILITY.md.
FILES = int(os.environ.get("FTPWEIR_HARVEST", "100"))
LARGEST = int(os.environ.get("FTPWEIR_LARGEST", "4000000"))
SCRIPTS = 20
SILENCE = 5.0  # pyftpdlib leaves some uploads unanswered for ever: then they have failed
PORTS = (40_000, 40_999)
RESTART_EVERY = 5.0
# 3 of 23 data connections are reset towards the client, where a field report counted 127 of 1,000:
# at the first packet, after some, or deep in a large file. In turn: chance might spare them all.
RESETS = """
table inet breaks {
  map after { type mark : verdict; }
  chain input {
    type filter hook input priority 0
    tcp dport 40000-40999 tcp flags & (syn | ack) == syn ct mark set numgen inc mod 23 offset 1
    tcp flags & rst == rst accept
    tcp dport 40000-40999 ct mark 7 ct reply packets > 0 tcp flags & syn == 0 jump cut
    tcp dport 40000-40999 ct mark 15 ct reply bytes > 20000 jump cut
    tcp dport 40000-40999 ct mark 23 ct reply bytes > 400000 jump cut
  }
  chain cut {
    counter
    reject with tcp reset
  }
}
"""


# The same towards the server, which then resets what still comes from the client.
RESETS_OF_UPLOADS = """
table inet breaks {
  chain input {
    type filter hook input priority 0
    tcp dport 40000-40999 tcp flags & (syn | ack) == syn ct mark set numgen inc mod 23 offset 1
  }
  chain output {
    type filter hook output priority 0
    tcp flags & (syn | rst) != 0 accept
    tcp sport 40000-40999 ct mark 7 ct original packets > 2 jump cut
    tcp sport 40000-40999 ct mark 15 ct original bytes > 20000 jump cut
    tcp sport 40000-40999 ct mark 23 ct original bytes > 400000 jump cut
  }
  chain cut {
    counter
    reject with tcp reset
  }
}
"""


def break_connections(side: Side, rules: str = RESETS) -> None:
    """Let the server's side reset some of the data connections."""
    side.setting("net.netfilter.nf_conntrack_acct", 1)
    side.run("nft", "-f", "-", text=rules)


def contents() -> Iterator[tuple[str, bytes]]:
    """Files from 1 KB to the largest, evenly on a logarithmic scale."""
    chance = random.Random(10)
    for number in range(FILES):
        yield f"file-{number}", chance.randbytes(int(1000 * (LARGEST / 1000) ** chance.random()))


def furnish(place: Callable[[str, bytes], object]) -> list[tuple[str, str]]:
    """Place the files; return the SHA-256 of each."""
    files = []
    for name, content in contents():
        place(name, content)
        files.append((name, hashlib.sha256(content).hexdigest()))
    return files


def in_folder(folder: Path) -> Callable[[str, bytes], object]:
    """Place files there."""
    return lambda name, content: (folder / name).write_bytes(content)


def wrong_on_server(server: Backend, files: list[tuple[str, str]]) -> list[str]:
    """Which of the files are not what was sent."""
    return [name for name, digest in files if _digest(server.home() / name) != digest]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "no such file"


@contextmanager
def dying_again_and_again(server: Backend) -> Iterator[list[int]]:
    """Kill the server and start it again every few seconds while the block lasts."""
    over = threading.Event()
    deaths: list[int] = []

    def kill() -> None:
        while not over.wait(RESTART_EVERY):
            server.crash_and_restart()
            deaths.append(1)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield deaths
    finally:
        over.set()
        killer.join()


def broken_transfers(weir: Ftpweir) -> list[dict[str, object]]:
    """What the log says of transfers that failed, and of refusals."""
    ended = [event for event in weir.events("transfer ended") if event["result"] != "done"]
    return ended + weir.events("refused")


@pytest.mark.parametrize("kind", SERVERS)
def test_no_script_notices_that_data_connections_are_reset(kind: Callable[..., Backend]) -> None:
    with (
        lab() as one,
        kind(host=one.server.address, netns=one.server.name, passive_ports=PORTS) as server,
        Ftpweir(
            server, netns=one.client.name, upstream={"sessions": 8}, budget={"enforce": "off"}
        ) as weir,
    ):
        files = furnish(server.place)
        break_connections(one.server)
        login = (ALICE.name, ALICE.password)
        direct = Harvest(server.host, server.port, *login, SCRIPTS, files, silence=SILENCE)
        told = direct.run(one.client.inside())
        done = Harvest(weir.host, weir.port, *login, SCRIPTS, files).run(one.client.inside())
        heals = sum(event["heals"] for event in weir.events("transfer ended"))
        unhealed = broken_transfers(weir)
    assert told.failed, "nothing was broken: the test proves nothing"
    assert done.wrong == []
    assert done.failed == [], unhealed
    assert done.whole == FILES
    assert heals > 0


@pytest.mark.parametrize("kind", [Vsftpd, ProFtpd])
def test_no_script_notices_that_the_server_dies(kind: Callable[..., Backend]) -> None:
    with (
        kind() as server,
        Ftpweir(server, upstream={"sessions": 4}, budget={"enforce": "off"}) as weir,
    ):
        files = furnish(server.place) * 5
        login = (ALICE.name, ALICE.password)
        with dying_again_and_again(server) as deaths:
            while len(deaths) < 2:
                done = Harvest(weir.host, weir.port, *login, SCRIPTS, files).run([])
                assert done.wrong == []
                assert done.failed == [], broken_transfers(weir)
                assert done.whole == len(files)


@pytest.mark.parametrize("kind", SERVERS)
def test_no_script_that_stores_notices_that_data_connections_are_reset(
    kind: Callable[..., Backend], tmp_path: Path
) -> None:
    with (
        lab() as one,
        kind(host=one.server.address, netns=one.server.name, passive_ports=PORTS) as server,
        Ftpweir(
            server,
            netns=one.client.name,
            upstream={"sessions": 8},
            budget={"enforce": "off"},
            heal={"uploads": "on"},
        ) as weir,
    ):
        files = furnish(in_folder(tmp_path))
        break_connections(one.server, RESETS_OF_UPLOADS)
        scripts = (ALICE.name, ALICE.password, SCRIPTS, files, str(tmp_path))
        direct = Harvest(server.host, server.port, *scripts, silence=SILENCE)
        told = direct.run(one.client.inside())
        for name, _ in files:
            (server.home() / name).unlink(missing_ok=True)
        done = Harvest(weir.host, weir.port, *scripts).run(one.client.inside())
        heals = sum(event["heals"] for event in weir.events("transfer ended"))
        wrong = wrong_on_server(server, files)
        unhealed = broken_transfers(weir)
    assert told.failed, "nothing was broken: the test proves nothing"
    assert done.failed == [], unhealed
    assert wrong == []
    assert heals > 0


@pytest.mark.parametrize("kind", [Vsftpd, ProFtpd])
def test_no_script_that_stores_notices_that_the_server_dies(
    kind: Callable[..., Backend], tmp_path: Path
) -> None:
    with (
        kind() as server,
        Ftpweir(
            server,
            upstream={"sessions": 4},
            budget={"enforce": "off"},
            heal={"uploads": "on"},
        ) as weir,
    ):
        files = furnish(in_folder(tmp_path))
        with dying_again_and_again(server) as deaths:
            while len(deaths) < 2:
                login = (ALICE.name, ALICE.password)
                all_of_it = Harvest(weir.host, weir.port, *login, SCRIPTS, files * 5, str(tmp_path))
                done = all_of_it.run([])
                assert done.failed == [], broken_transfers(weir)
                assert wrong_on_server(server, files) == []


def restarts(one: Lab, server: Backend, weir: Ftpweir) -> None:
    """Kill the server with all its sessions, and start it again."""
    server.crash_and_restart()


def forgets_flows(one: Lab, server: Backend, weir: Ftpweir) -> None:
    """Drop without a word what belongs to the connections that there are, as a firewall does."""
    flows = sockets.table(weir.pid)
    ports = {str(flow.local_port) for flow in flows if flow.remote_port == server.port}
    assert ports
    rules = """
      table inet forgetful {
        chain input {
          type filter hook input priority 0
          tcp dport %d tcp sport { %s } drop
        }
      }
    """
    one.server.run("nft", "-f", "-", text=rules % (server.port, ", ".join(ports)))


@pytest.mark.parametrize("befalls", [restarts, forgets_flows], ids=lambda deed: deed.__name__)
@pytest.mark.parametrize("kind", [Vsftpd, ProFtpd])
def test_no_idle_client_notices_what_befalls_its_server(
    kind: Callable[..., Backend], befalls: Callable[[Lab, Backend, Ftpweir], None]
) -> None:
    with (
        lab() as one,
        kind(host=one.server.address, netns=one.server.name) as server,
        Ftpweir(server, netns=one.client.name, timeouts={"connect": "1s"}) as weir,
    ):
        server.place("file", b"content")
        ftp = ftplib.FTP(timeout=30)
        inside(one.client.name, lambda: ftp.connect(weir.host, weir.port))
        ftp.login(ALICE.name, ALICE.password)
        ftp.voidcmd("TYPE I")
        assert ftp.size("file") == 7
        befalls(one, server, weir)
        assert ftp.size("file") == 7
        befalls(one, server, weir)
        heard: list[bytes] = []
        inside(one.client.name, lambda: ftp.retrbinary("RETR file", heard.append))
        assert b"".join(heard) == b"content"
        ftp.close()
        assert weir.events("refused") == []
