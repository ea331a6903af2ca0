"""The whole configuration as frozen values: Config and its small sections.

Every key carries the sentence `ftpweir explain` prints. Never reads a file, never checks one key
against another: crosscheck.py does.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from .addresses import Address
from .clientside import ClientClass, Listen, Login, Passive, Refusals, as_listeners, at_least_one
from .problem import Path
from .section import Section
from .servers import NamedServer
from .serverside import Budget, Queue, Upstream
from .shapes import (
    DscpOrNone,
    Duration,
    FileOrNone,
    Place,
    Size,
    StoreOrNone,
    Switch,
    TimeLimit,
    TokenOrNone,
    one_of,
)
from .sharing import Sharing

Format: TypeAlias = Literal["auto", "json", "console"]
Level: TypeAlias = Literal["debug", "info", "warning", "error"]


class Timeouts(Section):
    """How long each silence is borne before a connection is given up."""

    connect: TimeLimit = Field(
        default=10.0,
        description="Longest wait for any one connection, control or data, on either side, and "
        "for its TLS handshake. A reachable peer answers in well under a second; a firewall that "
        "has banned us never answers.",
    )
    login: TimeLimit = Field(
        default=30.0,
        description="Longest wait for the server's greeting and login. Old servers look up our "
        "name in DNS first, which may take many seconds.",
    )
    idle: TimeLimit = Field(
        default=300.0,
        description="A client that says nothing for so long is told goodbye. RFC 1123 section "
        "4.1.3.2 asks for at least 5 minutes; a running transfer is not silence.",
    )
    stall: TimeLimit = Field(
        default=120.0,
        description="A transfer in which no byte moves for so long is ended with 426. It holds a "
        "slot of the budget that somebody else waits for.",
    )
    final: TimeLimit = Field(
        default=60.0,
        description="Longest wait for the server's final reply after the data. curl waits 60 "
        "seconds for its 226 and then counts the file as failed.",
    )
    outage: Duration = Field(
        default=10.0,
        description="A server that refuses connections, or greets with a 5xx that names no limit, "
        "is waited for so long, counted from its first refusal, because restarts take a few "
        "seconds. After that scripts are told at once.",
    )
    failover: TimeLimit = Field(
        default=1.5,
        description="Longest wait for a sign of life from a server while another is up: for its "
        "connection, and for TCP's word that it has got a command. Its answer may take longer.",
    )
    hung: TimeLimit = Field(
        default=10.0,
        description="A server that greets nobody, or answers nothing to anybody, for so long is "
        "left while another is up, though TCP says that it is there. What it was asked is waited "
        "for twice as long.",
    )
    failback: Duration = Field(
        default=10.0,
        description="A server that was down is used again when it has answered for so long. One "
        "that comes and goes should not take the work with it each time.",
    )
    drain: TimeLimit = Field(
        default=60.0,
        description="After SIGTERM, running transfers may take so long to end. Give the service "
        "manager's own stop timeout a little more.",
    )
    drain_lag: Duration = Field(
        default=0.0,
        description="After SIGTERM, clients are still let in for so long while the health check "
        "says not ready. For balancers that need a moment to notice; 0s where there is none.",
    )


class Heal(Section):
    """Whether a transfer that broke is resumed behind the script's back."""

    downloads: Switch = Field(
        default="on",
        description="Whether a download that breaks on the server's side goes on with REST, unseen "
        "by the script, if SIZE and MDTM say that it is still the same file.",
    )
    uploads: Switch = Field(
        default="off",
        description="Whether an upload that breaks on the server's side goes on, unseen by the "
        "script, where it is provable what the server lacks. Off by default: uploads are then "
        "copied through memory, which costs CPU, and asked about before and after.",
    )
    upload_memory: Size = Field(
        default=64 * 1024 * 1024,
        description="What all uploads together keep in memory, to be sent again after a break; "
        "each at most an eighth. A server may lose what it has received and not yet written, "
        "some MiB over a fast line.",
    )


class Status(Section):
    """Where the status page, the metrics, the health checks and the API are served."""

    address: Place = Field(
        default=Address("127.0.0.1", 8021),
        description="The address of the page. Only this machine by default: it names clients and "
        "files, and beyond loopback it demands a token.",
    )
    token: TokenOrNone = Field(
        default=None,
        repr=False,
        description="What a visitor must show: `Authorization: Bearer TOKEN`, or once `/?token=` "
        "in a browser. None is right on loopback only.",
    )


def as_status(value: object) -> object:
    """Accept the short forms: one address, or the word none."""
    if value == "none":
        return None
    return {"address": value} if isinstance(value, str) else value


class Log(Section):
    """What is written to standard error."""

    format: Annotated[Format, one_of(Format)] = Field(
        default="auto",
        description="auto writes for people on a terminal and JSON otherwise, because a log "
        "collector wants fields and a person wants lines.",
    )
    level: Annotated[Level, one_of(Level)] = Field(
        default="info",
        description="info writes one line per transfer and per session, warning only what needs "
        "attention. Passwords are in no line.",
    )
    audit: FileOrNone = Field(
        default=None,
        description="A file of JSON lines: who did what to which file, and with what result. None "
        "writes no such file; the log says the same among other things.",
    )
    xferlog: FileOrNone = Field(
        default=None,
        description="A file in the format of wu-ftpd's xferlog, one line for each file, for tools "
        "that read it.",
    )


class Config(Section):
    """Everything ftpweir can be told."""

    listen: Annotated[tuple[Listen, ...], BeforeValidator(as_listeners)] = Field(
        default=(Listen(address=Address("127.0.0.1", 2121)),),
        description="Where scripts connect: one address, or a list of listeners. Only this "
        "machine by default, because an open FTP proxy invites strangers.",
    )
    passive: Passive = Passive()
    upstream: Upstream = Field(description="The FTP server behind us; only its host is required.")
    budget: Budget = Budget()
    queue: Queue = Queue()
    servers: tuple[NamedServer, ...] = Field(
        default=(),
        description="Further servers, each a section in a list: the first whose `match` fits a "
        "client is its server, and whoever fits none gets the one in `upstream`.",
    )
    clients: Annotated[tuple[ClientClass, ...], BeforeValidator(at_least_one)] = Field(
        default=(ClientClass(name="everyone", sessions=50),),
        description="Classes of sources, each a section in a list; the first match wins, and the "
        "last one should match everybody.",
    )
    refusals: Refusals = Refusals()
    login: Login = Login()
    timeouts: Timeouts = Timeouts()
    dscp: DscpOrNone = Field(
        default=None,
        description="The DiffServ class marked on data connections, both sides, for routers that "
        "share a line by it: af11 for bulk data, le for what may wait. none marks nothing.",
    )
    heal: Heal = Heal()
    status: Annotated[Status | None, BeforeValidator(as_status)] = Status()
    state: FileOrNone = Field(
        default="./ftpweir.state",
        description="The file in which the ledger survives a restart, so that connections that "
        "still cool at the firewall are not forgotten.",
    )
    store: StoreOrNone = Field(
        default=None,
        description="The Redis or Valkey through which several instances share one budget; none "
        "means that this process counts alone.",
    )
    sharing: Sharing = Sharing()
    log: Log = Log()

    @model_validator(mode="after")
    def _complete_servers(self) -> Self:
        if not self.servers:
            return self
        ours = self.upstream, self.budget, self.queue
        return self.model_copy(
            update={"servers": tuple(one.completed(*ours) for one in self.servers)}
        )

    @property
    def by_server(self) -> dict[str, Config]:
        """Name every server with the configuration it would have alone; the nameless one first."""
        return {"": self} | {one.name: self._alone(one) for one in self.servers}

    def at_standby(self, place: Address) -> Config:
        """Return the configuration that this standby server would have alone."""
        return self.model_copy(update={"upstream": self.upstream.at_standby(place), "servers": ()})

    @property
    def state_files(self) -> tuple[str, ...]:
        """Name the state file of each way to the server of the top level; none if it keeps none."""
        if self.state is None:
            return ()
        sources = self.upstream.source_addresses or (None,)
        servers = range(len(self.upstream.servers))
        ways = (self.upstream.name_of(server, source) for server in servers for source in sources)
        return tuple(f"{self.state}.{way}" if way else self.state for way in ways)

    @property
    def server_places(self) -> dict[str, Path]:
        """Tell where the keys of each of them stand in the file."""
        return {"": ()} | {one.name: ("servers", at) for at, one in enumerate(self.servers)}

    def _alone(self, server: NamedServer) -> Config:
        return self.model_copy(
            update={
                "upstream": server.upstream,
                "budget": server.budget,
                "queue": server.queue,
                "state": self.state and f"{self.state}.{server.name}",
                "servers": (),
            }
        )
