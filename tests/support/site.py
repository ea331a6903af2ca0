"""The machines that config/deploy/haproxy.cfg and passive.nft are for; these files as they are.

Clients meet the balancer's machine; behind it is the one of both ftpweirs (two in real life), whose
way to the clients leads through the balancer's for passive data connections only; then the server.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .backend import Backend
from .namespaces import Lab, Namespace, plug
from .programs import CHECKOUT, program
from .proxy import Ftpweir
from .sockets import State
from .waiting import until

DEPLOY: Final = CHECKOUT / "config" / "deploy"
FRONT, FIRST, SECOND = "192.0.2.1", "192.0.2.11", "192.0.2.12"  # as in those files
PASSIVE: Final = {FIRST: "30000-30499", SECOND: "30500-30999"}


@dataclass(frozen=True, slots=True)
class Site:
    """Where everybody lives."""

    clients: Namespace
    balancer: Namespace
    weirs: Namespace
    server: Namespace

    def instance(self, server: Backend, address: str, **sections: Any) -> Ftpweir:
        """One ftpweir as the comment in haproxy.cfg wants it."""
        return Ftpweir(
            server,
            host=address,
            port=2121,
            netns=self.weirs.name,
            listen={"proxy_protocol": "on", "trusted": FRONT},
            passive={"address": FRONT, "ports": PASSIVE[address]},
            **sections,
        )

    @contextmanager
    def balanced(self, folder: Path) -> Iterator[None]:
        """Have HAProxy and the kernel do as the files say while the block lasts."""
        self.balancer.run(program("nft"), "-f", str(DEPLOY / "passive.nft"))
        command = [program("haproxy"), "-db", "-f", str(DEPLOY / "haproxy.cfg")]
        with (folder / "haproxy.log").open("wb") as log:
            process = subprocess.Popen(self.balancer.inside(command), stdout=log, stderr=log)
        try:
            listens = frozenset({State.LISTEN})
            until(lambda: self.balancer.count(local_port=21, states=listens), "HAProxy listens")
            yield
        finally:
            process.kill()
            process.wait()


@contextmanager
def site(hold: int | None = None) -> Iterator[Site]:
    """Have it while the block lasts; see Lab for `hold`."""
    with Lab() as outside, Lab(hold=hold) as behind:
        clients, balancer, weirs = outside.client, outside.server, behind.client
        plug("dmz", (balancer, f"{FRONT}/24"), (weirs, f"{FIRST}/24"))
        weirs.run(program("ip"), "address", "add", f"{SECOND}/24", "dev", "dmz")
        clients.run(program("ip"), "route", "add", "default", "via", balancer.address)
        balancer.setting("net.ipv4.ip_forward", 1)
        for words in re.findall(r"^# .*: +ip (.*)$", (DEPLOY / "passive.nft").read_text(), re.M):
            weirs.run(program("ip"), *words.split())
        yield Site(clients, balancer, weirs, behind.server)
