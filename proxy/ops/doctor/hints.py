"""What works, but not well or not for long, and what is worth knowing. Words as in problems.py."""

from __future__ import annotations

from typing import Final

from .finding import Area

WARNINGS: Final = (
    (
        "listen_privileged",
        Area.MACHINE,
        "This user may not listen at the port of `listen`.",
        "Nothing, if ftpweir runs as root, has CAP_NET_BIND_SERVICE, or gets its sockets from "
        "systemd; else use a port from 1024 on.",
    ),
    (
        "state_denied",
        Area.MACHINE,
        "This user may not use the state file, so the doctor does not know the ledger.",
        "Run the doctor as the user that runs ftpweir. If this is that user, let it write there: "
        "ftpweir does not start otherwise.",
    ),
    (
        "store_new",
        Area.STORE,
        "The shared store is new, empty or restarted: nobody gets more than it has, logins and "
        "transfers wait.",
        "Wait: it takes `sharing.recovery`, and happens again only when the store loses its "
        "memory.",
    ),
    (
        "limits_differ",
        Area.STORE,
        "Instances that share the store go by different limits: the lowest holds for all of them.",
        "Give all instances of the group the same `budget` and `upstream.sessions`. One that "
        "suspects a ban goes by fewer connections for a while.",
    ),
    (
        "store_evicts",
        Area.STORE,
        "The shared store may throw away what we keep there when its memory is full: then nobody "
        "gets more than it has for `sharing.recovery`.",
        "Set `maxmemory-policy noeviction`, or give ftpweir a Redis of its own.",
    ),
    (
        "store_slow",
        Area.STORE,
        "The shared store answers slowly: whoever needs more than it owns waits for it.",
        "Put the store near the instances, on a machine that is not overloaded; half a second is "
        "taken for an outage.",
    ),
    (
        "store_clock",
        Area.STORE,
        "The shared store's clock is wrong, or ours is: set right by more than `sharing.lease` "
        "while instances run, it gives away what is still in use.",
        "Let both machines keep their time by NTP, and correct the store's clock only while no "
        "instance runs.",
    ),
    (
        "proxy_refuses",
        Area.PROXY,
        "ftpweir itself refuses new clients just now.",
        "The reply names the limit: `ftpweir explain` tells more about it.",
    ),
    (
        "server_trouble",
        Area.PROXY,
        "ftpweir could get no session with the server when it last tried.",
        "If the doctor finds no more than this, it was for a moment only: the log tells how often.",
    ),
    (
        "budget_full",
        Area.LIMIT,
        "The budget for the firewall is used up: transfers wait, and the doctor tries no more.",
        "Wait for slots to cool, or see `ftpweir plan` for what the budget can carry.",
    ),
    (
        "sessions_ours",
        Area.LIMIT,
        "ftpweir holds all sessions that the server allows, so it takes none from the doctor.",
        "Nothing is wrong by that. To look further, run the doctor while ftpweir is stopped.",
    ),
    (
        "descriptors_low",
        Area.MACHINE,
        "The limit of open files is small.",
        "Raise it (LimitNOFILE in the unit, `ulimit -n` in a shell): a session needs one, a "
        "transfer up to six.",
    ),
    (
        "ports_scarce",
        Area.MACHINE,
        "This machine has hardly any free port left for connections to the server.",
        "Widen net.ipv4.ip_local_port_range, or find who leaves so many connections behind.",
    ),
    (
        "clock",
        Area.MACHINE,
        "The clock of this machine is wrong.",
        "Set it, and keep it set (`timedatectl set-ntp true`): certificates and the state file "
        "across a reboot depend on it.",
    ),
    (
        "state_unbelievable",
        Area.MACHINE,
        "The state file is damaged, or the machine crashed: at its start ftpweir takes the whole "
        "budget for used.",
        "Nothing; it is over after one `budget.time_wait`.",
    ),
    (
        "slow_names",
        Area.NAMES,
        "Looking up the server's name takes seconds, at each login.",
        "Put the address into `upstream.host`, or a caching name server on this machine.",
    ),
    (
        "foreign_address",
        Area.PASSIVE,
        "The server tells a foreign address for data connections (PASV).",
        "Nothing for ftpweir: it connects to the server's own address instead. Clients that "
        "connect directly fail; the server's pasv_address, MasqueradeAddress or -P mends that.",
    ),
    (
        "certificate_doubtful",
        Area.TLS,
        "The server's certificate would not pass, and `upstream.verify: off` lets it.",
        "Put the certificate of its issuer into `upstream.ca` and set `upstream.verify: on`.",
    ),
    (
        "certificate_soon",
        Area.TLS,
        "The server's certificate expires soon.",
        "Let it be renewed.",
    ),
    (
        "home_odd",
        Area.LOGIN,
        "The server's directory names are not Unix paths, so each client keeps a session alone.",
        "Expect as many clients at once as `upstream.sessions`, no more.",
    ),
)

NOTES: Final = (
    (
        "refused_lately",
        Area.PROXY,
        "ftpweir has refused clients in the last hour.",
        "`ftpweir explain REASON` tells cause and remedy of each reason.",
    ),
    (
        "proxy_absent",
        Area.PROXY,
        "ftpweir does not run at its `listen` address: no script can reach it there.",
        "Start it: `ftpweir run -c FILE`.",
    ),
    (
        "no_login",
        Area.LOGIN,
        "Login, data connections and listing were not tried.",
        "Give a user: `ftpweir doctor -c FILE --user USER`, the password in FTPWEIR_PASSWORD.",
    ),
    (
        "tls_offered",
        Area.TLS,
        "The server offers TLS, and passwords go to it in the clear.",
        "`ftpweir doctor --tls explicit` tells whether its certificate would pass.",
    ),
    (
        "passive_unused",
        Area.PASSIVE,
        "Passive data connections to the server do not work, active ones do.",
        "Nothing: `upstream.data` lets ftpweir use those.",
    ),
    (
        "active_unused",
        Area.ACTIVE,
        "The server cannot connect to us (active mode).",
        "Nothing: `upstream.data: passive` does not need it.",
    ),
    (
        "reset_possible",
        Area.LIMIT,
        "This server takes `budget.close: reset`: downloads would leave no TIME_WAIT with it.",
        "Consider it where the budget is the limit; `ftpweir plan` tells what it gains.",
    ),
    (
        "reset_impossible",
        Area.LIMIT,
        "This server reports complete downloads as failed when they are ended by reset.",
        "Leave `budget.close: fin`.",
    ),
    (
        "sessions_more",
        Area.LIMIT,
        "The server allows more sessions than `upstream.sessions` uses.",
        "Raise it if transfers wait for sessions, and nobody else needs them.",
    ),
)
