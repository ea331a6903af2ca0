"""What keeps something that is configured from working: code, area, cause, remedy. Words only.

The order is that of importance: what stops everything behind it stands before it.
"""

from __future__ import annotations

from typing import Final

from .finding import Area

PROBLEMS: Final = (
    (
        "descriptors",
        Area.MACHINE,
        "ftpweir is out of file descriptors: it can open no more sockets.",
        "Raise its limit of open files (LimitNOFILE in the unit, `ulimit -n` in a shell) and "
        "restart it. A session needs one, a transfer up to six.",
    ),
    (
        "proxy_silent",
        Area.PROXY,
        "ftpweir's port accepts connections, but nobody greets.",
        "Look at its log and its load; if it hangs, restart it and report the log.",
    ),
    (
        "listen_taken",
        Area.MACHINE,
        "Another program has the port of `listen`.",
        "Stop that program, or give `listen` another port.",
    ),
    (
        "listen_denied",
        Area.MACHINE,
        "The address of `listen` is none of this machine.",
        "Use an address of this machine, or 0.0.0.0 for all of them.",
    ),
    (
        "state_unusable",
        Area.MACHINE,
        "The state file cannot be used, so ftpweir does not start.",
        "Make its directory, or name another file in `state`.",
    ),
    (
        "store_unreachable",
        Area.STORE,
        "The shared store cannot be reached: ftpweir goes on with what it owns, then everybody "
        "waits (`sharing.on_store_down`).",
        "Check that Redis runs, the address and port that it listens at, the firewall before it, "
        "and the address in `store`. One process that is alone needs none: `store: none`.",
    ),
    (
        "store_denied",
        Area.STORE,
        "The shared store does not let us in, or does not let us do what is needed.",
        "Put the password into `store` (redis://:${STORE_PASSWORD}@HOST/0); docs/SCALE.md lists "
        "the commands that a restricted user needs, on keys that begin with ftpweir.",
    ),
    (
        "store_replica",
        Area.STORE,
        "The shared store is a replica, which takes no orders.",
        "Name the primary in `store`, or an address that always leads to it.",
    ),
    (
        "store_full",
        Area.STORE,
        "The shared store has no memory left.",
        "Raise its maxmemory, or give ftpweir a Redis of its own: it needs a megabyte.",
    ),
    (
        "store_old",
        Area.STORE,
        "The shared store is too old to run our script.",
        "Use Redis 5 or later, or Valkey; Redis 7 is what it is tested with.",
    ),
    (
        "store_unfit",
        Area.STORE,
        "The shared store answers, but cannot run our script.",
        "Its words tell why: a server that is loading its data, a proxy before it, or one that "
        "only resembles Redis. Use Redis or Valkey itself.",
    ),
    (
        "source_foreign",
        Area.MACHINE,
        "An address of `upstream.source_addresses` is none of this machine.",
        "Add it to an interface, or take it out of the list.",
    ),
    (
        "proxy_gone",
        Area.PROXY,
        "ftpweir does not run any more, so no script reaches the server.",
        "Start it, `systemctl start ftpweir` or `ftpweir run -c FILE`; its log tells why it ended.",
    ),
    (
        "no_name_server",
        Area.NAMES,
        "No name server answers, so the server's name cannot be looked up.",
        "Check /etc/resolv.conf and the way to the name server, or put the address itself into "
        "`upstream.host`.",
    ),
    (
        "no_such_name",
        Area.NAMES,
        "The server's name does not exist in DNS.",
        "Correct `upstream.host`; if the name is right, ask who runs its DNS zone.",
    ),
    (
        "first_address_dead",
        Area.ROUTE,
        "The address that ftpweir would use does not work, another one of the name does.",
        "Put the address that works into `upstream.host`, or take the dead one out of DNS.",
    ),
    (
        "banned",
        Area.ROUTE,
        "The firewall before the server seems to have banned this address: it worked until lately, "
        "now packets vanish.",
        "Wait without trying: each try may prolong a ban. Ask whoever runs the firewall to lift "
        "it; then lower `budget.connections` or raise `budget.time_wait`.",
    ),
    (
        "ban_suspected",
        Area.ROUTE,
        "ftpweir suspects a ban: its data connections met silence, so it pauses.",
        "Wait until the pause is over, then run this again: if data connections still meet "
        "silence, the passive ports are blocked. After a ban lower `budget.connections`.",
    ),
    (
        "silent",
        Area.ROUTE,
        "The server does not answer at all: a firewall drops our packets, or the address is wrong.",
        "Check `upstream.host`; ask for a rule that lets this machine reach the port. If it worked "
        "until lately, it may be a ban: then wait without trying.",
    ),
    (
        "unreachable",
        Area.ROUTE,
        "There is no way to the server: no route, or a firewall that says no.",
        "Check the route from this machine (`ip route get ADDRESS`) and the firewalls on the way.",
    ),
    (
        "refused",
        Area.ROUTE,
        "Nothing listens at that port: `upstream.port` is wrong, or the server does not run.",
        "Correct `upstream.port` (21 is FTP's own), or start the server.",
    ),
    (
        "not_ftp",
        Area.ROUTE,
        "What answers at that port is no FTP server: `upstream.port` is wrong.",
        "Correct `upstream.port`: 21 is FTP's own. SFTP (port 22) is another protocol.",
    ),
    (
        "mute",
        Area.ROUTE,
        "The port accepts connections, but no greeting comes.",
        "A server that speaks TLS from the first byte (port 990) wants `upstream.tls: implicit`. "
        "One that looks up our name in DNS may need a longer `timeouts.login`.",
    ),
    (
        "sessions_full",
        Area.LIMIT,
        "The server's limit of sessions, for our address or for all, is met: it takes no more.",
        "Find who else connects, from this address first, and lower `upstream.sessions` to what is "
        "left. Servers count a session until its process has ended: wait a minute, then try again.",
    ),
    (
        "turned_away",
        Area.LIMIT,
        "The server turns us away before any login.",
        "Its words tell why: mostly a list of allowed hosts, a ban, or that it is closed for now.",
    ),
    (
        "hung_up",
        Area.LIMIT,
        "The server hangs up on us without a greeting.",
        "Its own log tells why: mostly a limit for our address, or its list of allowed hosts.",
    ),
    (
        "tls_missing",
        Area.TLS,
        "The server offers no TLS, and `upstream.tls` asks for it.",
        "Set `upstream.tls: off`, or let TLS be switched on at the server.",
    ),
    (
        "tls_files",
        Area.TLS,
        "A file for TLS with the server cannot be used.",
        "Name PEM files that the user of ftpweir may read in `upstream.ca`, "
        "`upstream.certificate` and `upstream.key`.",
    ),
    (
        "certificate_expired",
        Area.TLS,
        "The server's certificate has expired.",
        "Let it be renewed at the server. `upstream.verify: off` goes on without protection.",
    ),
    (
        "certificate_early",
        Area.TLS,
        "The server's certificate is not valid yet, or the clock of this machine is slow.",
        "Check the clock here (`timedatectl`), then the certificate.",
    ),
    (
        "certificate_name",
        Area.TLS,
        "The server's certificate is made out to another name.",
        "Put the name in the certificate into `upstream.server_name`, if it is the server's.",
    ),
    (
        "certificate_unknown",
        Area.TLS,
        "Nobody we trust vouches for the server's certificate.",
        "Put the certificate of its issuer, or its own if it signed itself, into `upstream.ca`.",
    ),
    (
        "tls_failed",
        Area.TLS,
        "The TLS handshake with the server fails.",
        "WRONG_VERSION_NUMBER means that it speaks in clear there: `explicit` and `implicit` are "
        "mixed up in `upstream.tls`, or it has no TLS. Else it may speak old versions only: ask "
        "for TLS 1.2 there.",
    ),
    (
        "tls_required",
        Area.TLS,
        "The server wants TLS before it takes a password.",
        "Set `upstream.tls: explicit`.",
    ),
    (
        "login_refused",
        Area.LOGIN,
        "The server does not take this user and password.",
        "Check both; try them from another machine. Many servers refuse a good password just so "
        "when the user is locked or has no home directory.",
    ),
    (
        "account_wanted",
        Area.LOGIN,
        "The server wants an account (ACCT) beside the password.",
        "Scripts must send ACCT; ask the server's operator which.",
    ),
    (
        "passive_blocked",
        Area.PASSIVE,
        "The server's passive ports are blocked: commands pass, data connections do not.",
        "Ask for a firewall rule that lets this machine reach the server's whole passive range; "
        "or try `upstream.data: active`. If transfers worked until lately, it may be a ban.",
    ),
    (
        "foreign_address_dead",
        Area.PASSIVE,
        "The server tells a foreign address for data, and its own has no such port.",
        "Let the server tell its real address (pasv_address, MasqueradeAddress, -P), or let its "
        "NAT forward the passive range.",
    ),
    (
        "passive_refused",
        Area.PASSIVE,
        "The server refuses passive mode.",
        "Set `upstream.data: active`, or let passive mode be switched on at the server.",
    ),
    (
        "active_blocked",
        Area.ACTIVE,
        "`upstream.data: active` is set, and the server cannot connect to us.",
        "Open `upstream.ports` of this machine to the server, or set `upstream.data: passive`.",
    ),
    (
        "data_tls",
        Area.TLS,
        "The data connection's TLS fails, though the control connection's works.",
        "Some servers want the control connection's TLS session there (require_ssl_reuse), some "
        "cannot do it with TLS 1.3: the server's own log tells.",
    ),
    (
        "reset_unsafe",
        Area.LIMIT,
        "`budget.close: reset` is set, and this server then reports complete transfers as failed.",
        "Set `budget.close: fin`.",
    ),
    (
        "listing_refused",
        Area.LOGIN,
        "The server lets this user in, but not list its directory.",
        "Let the server's operator check the permissions of the user's home.",
    ),
    (
        "data_broken",
        Area.ROUTE,
        "Data connections come about, but break before their end.",
        "A firewall that resets or inspects FTP is the usual reason; the server's log tells.",
    ),
    (
        "storage_full",
        Area.LIMIT,
        "The server cannot store files: its disk or a quota is full.",
        "Free space at the server, or ask for a larger quota.",
    ),
    (
        "write_refused",
        Area.LOGIN,
        "The server does not let this user write there.",
        "Let the server's operator check the permissions of that directory.",
    ),
    (
        "sessions_fewer",
        Area.LIMIT,
        "The server allows fewer sessions than `upstream.sessions` says.",
        "Lower `upstream.sessions` to what it allows.",
    ),
    (
        "lost",
        Area.ROUTE,
        "The control connection broke, or fell silent, in the middle of the conversation.",
        "A firewall that forgets connections, or a server that gives up: its own log tells.",
    ),
)
