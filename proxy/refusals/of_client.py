"""The client's side: who is let in, who may stay, and under which name. Words only."""

from __future__ import annotations

from typing import Final

from .reason import Entry, Example, Party, Reason, Scope

ROWS: Final = (
    Entry(
        Reason.CLASS_SESSIONS,
        "Too many connections",  # lftp lowers its own parallelism when it reads this
        "clients.sessions",
        "This source holds as many sessions as its class allows. Usually scripts that never send "
        "QUIT, or more jobs at once than planned.",
        "End each session with QUIT, also on errors; use fewer jobs at once; retry with a pause.",
        "`ftpweir show sessions` names who holds them; raise `clients.sessions` of the class.",
        scope=Scope.SESSION,
        example=Example(4, 4, "10.1.2.3"),
    ),
    Entry(
        Reason.NO_CLASS,
        "No class of clients fits",
        "clients.source",
        "No entry of `clients` matches this address and user, so no quota applies to it.",
        "A new try changes nothing: ask the operator to admit the address or user.",
        "Add a class for this source, or end `clients` with one that matches everybody.",
        advice="ask the operator",
        scope=Scope.SESSION,
        example=Example(who="bob"),
    ),
    Entry(
        Reason.TLS_LOGIN,
        "A login needs TLS here",
        "clients.require",
        "The listener takes no password in clear (`listen.require`), or the class of this client "
        "may show none (`clients.require`), and USER came without TLS.",
        "Send AUTH TLS before USER: `--ssl-reqd` in curl, `set ftp:ssl-force yes` in lftp.",
        "Set the one that the line names to none if passwords in clear are meant.",
        advice="send AUTH TLS first",
        code=530,
    ),
    Entry(
        Reason.TLS_DATA,
        "Data needs TLS here",
        "clients.require",
        "The listener carries no data in clear (`listen.require`), or the class of this client may "
        "move none (`clients.require`), and PROT P was not sent.",
        "Send PBSZ 0 and PROT P before the transfer; in lftp `set ftp:ssl-protect-data yes`.",
        "Set the one that the line names to login if data in clear is meant.",
        advice="send PROT P first",
        code=522,
    ),
    Entry(
        Reason.NO_SERVER,
        "No such server here",
        "servers.match.host",
        "The name given with USER ends in @ and a host that no entry of `servers` allows.",
        "Write `USER name@host` with one of the hosts that the operator has allowed.",
        "Add the host to `servers.match.host` of its server, if these clients may go there.",
        advice="ask the operator",
        code=530,
        example=Example(who="ftp.example.com"),
    ),
    Entry(
        Reason.LOGIN_FAILURES,
        "Login failed too often",
        "login.attempts",
        "The server rejected several passwords from this source. The proxy stops passing them on, "
        "because the server may ban the address that all scripts share.",
        "Check user and password; do not retry with the same ones.",
        "Find the source in the log; `login.attempts` sets how many failures are borne.",
        advice="check the password, try again later",
        scope=Scope.SESSION,
        example=Example(9, 9, "10.1.2.3", retry=540),
    ),
    Entry(
        Reason.DRAINING,
        "Proxy is shutting down",
        "timeouts.drain",
        "The proxy was told to stop. Transfers that run may end, new work is turned away.",
        "Connect again in a moment; usually the proxy is only restarted.",
        "Nothing if this was meant. `timeouts.drain` sets how long running transfers get.",
        scope=Scope.SESSION,
        party=Party.PROXY,
    ),
    Entry(
        Reason.IDLE,
        "Idle for too long",
        "timeouts.idle",
        "No command came and no transfer ran for the whole of the time limit.",
        "Connect when there is work, or send NOOP in between; expect a 421 after a pause.",
        "Raise `timeouts.idle`; RFC 1123 section 4.1.3.2 asks for five minutes at least.",
        advice="connect again when needed",
        unit=" s",
        scope=Scope.SESSION,
        example=Example(limit=300),
    ),
    Entry(
        Reason.DESCRIPTORS,
        "Too many connections, proxy is out of descriptors",
        None,
        "The operating system lets the proxy open no more files and sockets.",
        "Retry with a pause; the script is not at fault.",
        "Raise the limit of open files (`ulimit -n`, LimitNOFILE): a transfer needs up to six.",
        example=Example(1000, 1000),
    ),
    Entry(
        Reason.FAULT,
        "Fault inside the proxy",
        None,
        "The proxy met something its authors did not foresee. The server is not to blame.",
        "Retry once; if it comes back, give the reference to the operator.",
        "Look the reference up in the log: the full error stands there. Please report it.",
        scope=Scope.SESSION,
        party=Party.PROXY,
    ),
)
