"""The waiting room: for want of what a transfer waits, and when it waits no longer. Words only."""

from __future__ import annotations

from typing import Final

from .reason import Entry, Example, Reason

ROWS: Final = (
    Entry(
        Reason.CLASS_TRANSFERS,
        "Too many transfers at once",
        "clients.transfers",
        "This source runs as many transfers as its class allows, and a place came free too late.",
        "Run fewer transfers side by side, or retry this one with a pause.",
        "Raise `clients.transfers` of the class, or `queue.max_wait` to let scripts wait longer.",
        example=Example(4, 4, "10.1.2.3", waited=40),
    ),
    Entry(
        Reason.CLASS_RATE,
        "Too many transfers a minute",
        "clients.transfers_per_minute",
        "This source starts transfers faster than its class allows.",
        "Spread the work, or put many small files into one archive.",
        "Raise `clients.transfers_per_minute` of the class if the budget has room for it.",
        example=Example(60, 60, "10.1.2.3", retry=95),
    ),
    Entry(
        Reason.BUDGET,
        "Too many connections for the firewall",
        "budget.connections",
        "The firewall before the server tolerates a number of connections, closed ones included "
        "for a while. All are used; one more could get this address banned.",
        "Retry after the time given: a place is due then. Fewer, larger files need fewer places.",
        "`ftpweir plan` tells what the budget can carry; `budget.close: reset` stretches it.",
        example=Example(380, 380, retry=95),
    ),
    Entry(
        Reason.STATE_FULL,
        "Disk of the proxy is full",
        "state",
        "Each connection is written to the state file before it is made, so that none is forgotten "
        "in a crash. The file has no room for another one and cannot grow.",
        "Retry with a pause; the script is not at fault.",
        "Make room on the disk that holds `state`: it goes on by itself. 24 bytes for each slot of "
        "the budget are enough, and are taken at the start.",
        example=Example(waited=40),
    ),
    Entry(
        Reason.STORE_LOST,
        "Shared store does not answer",
        "sharing.on_store_down",
        "Several proxies share the connections that the firewall tolerates. Which of them are this "
        "one's is known by a common store, which does not answer; what it had is used up.",
        "Retry with a pause; the script is not at fault.",
        "`ftpweir doctor` looks at the store; `show budget` tells what is left without it. "
        "`sharing.floor` keeps some slots for each proxy whatever happens.",
        example=Example(waited=40),
    ),
    Entry(
        Reason.STORE_NEW,
        "Shared store is new",
        "sharing.recovery",
        "The common store has been started, or has lost its memory. Until every proxy has told it "
        "what it uses, nothing more is dealt out, lest two use the same.",
        "Retry after the time given.",
        "It ends by itself. `sharing.recovery` must let all find the store again.",
        example=Example(waited=20, retry=10),
    ),
    Entry(
        Reason.UPSTREAM_SESSIONS,
        "Too many connections to the server",
        "upstream.sessions",
        "The server allows few sessions, and none came free in time: all are lent or pinned.",
        "End sessions that are not needed; retry with a pause.",
        "`ftpweir show sessions` names pinned ones; `upstream.pooling: transfer` shares best. "
        "Raise `upstream.sessions` only if the server allows more.",
        example=Example(2, 2, waited=40),
    ),
    Entry(
        Reason.SUSPECTED_BAN,
        "Firewall seems to have banned the proxy",
        "budget.time_wait",
        "Data connections met silence while the server still answered commands: so firewalls ban. "
        "Nothing is tried until its count must have expired, since each try may prolong the ban.",
        "Retry after the time given, not sooner.",
        "Ask whoever runs the firewall; lower `budget.connections` or raise `budget.time_wait`. "
        "Half the budget is used afterwards, and one slot more after each quiet hold.",
        example=Example(retry=230),
    ),
    Entry(
        Reason.QUEUE_FULL,
        "Queue is full",
        "queue.max_length",
        "As many commands wait for a place as the queue holds; this one could not join them.",
        "Run fewer jobs at once, or retry with a pause.",
        "`ftpweir show queue` names who waits; raise `queue.max_length` if need be.",
        example=Example(1000, 1000),
    ),
    Entry(
        Reason.QUEUE_WAIT,
        "No place came free in time",
        "queue.max_wait",
        "The command waited as long as allowed. Longer would outlast the patience of the client: "
        "curl gives up after 60 s without a reply.",
        "Retry with a pause.",
        "`ftpweir top` tells what holds the places. Where few are used, other instances or "
        "workers own them. `queue.max_wait` above 50 s loses curl.",
        example=Example(2, 2, waited=40),
    ),
    Entry(
        Reason.ETA_TOO_LONG,
        "Wait would be too long",
        "queue.max_wait",
        "The queue is so long that this command would have waited in vain: it is told at once.",
        "Retry after the time given rather than sooner.",
        "As for queue_wait. A standing queue means that the budget cannot carry the load.",
        unit=" s",
        example=Example(95, 40, retry=95),
    ),
)
