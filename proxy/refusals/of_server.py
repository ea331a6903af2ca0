"""The server's side: why it cannot be had, and what it would not do. Words only."""

from __future__ import annotations

from typing import Final

from .reason import Entry, Example, Party, Reason, Scope

ROWS: Final = (
    Entry(
        Reason.UPSTREAM_DOWN,
        "Server is down",
        "upstream.host",
        "The server's machine is there and refused the connection: nothing listens at that port.",
        "Retry with a pause; the script is not at fault.",
        "Check that the server runs; `ftpweir doctor` tests `upstream.host` and `upstream.port`.",
        example=Example(words="ftp.example.com:21 refuses connections"),
        party=Party.SERVER,
    ),
    Entry(
        Reason.UPSTREAM_UNREACHABLE,
        "Server cannot be reached",
        "upstream.host",
        "No answer in time, no route, or a name that does not resolve. If it worked until now, the "
        "firewall may have banned this address.",
        "Retry with a long pause: each try may prolong a ban.",
        "`ftpweir doctor` tells name, route, firewall and ban apart. After a ban, wait it out and "
        "lower `budget.connections`.",
        example=Example(words="no answer from ftp.example.com within 10 s"),
        party=Party.SERVER,
    ),
    Entry(
        Reason.UPSTREAM_NO_FTP,
        "No FTP server answers there",
        "upstream.port",
        "What listens at the server's address and port began with something that is no FTP reply; "
        "the words behind the colon are how it began.",
        "Nothing: the script is not at fault, and a retry does not help.",
        "Set `upstream.port` to the FTP server's: 21, or 990 with `upstream.tls: implicit`.",
        advice="ask the operator",
        example=Example(words="not a reply: SSH-2.0-OpenSSH_9.2"),
        party=Party.SERVER,
    ),
    Entry(
        Reason.UPSTREAM_REFUSED,
        "Server refuses",  # short, so that the server's own words fit the line
        None,
        "The server itself turned the proxy away whenever it was asked for one more session, for "
        "as long as this command could wait, or takes nobody at all; its words are passed on.",
        "Retry with a pause; the script is not at fault.",
        "If it says too many connections: lower `upstream.sessions`, or find who else connects "
        "from this address. If it takes nobody, its own log tells why.",
        example=Example(words="Too many connections (2) from this IP", retry=12),
        party=Party.SERVER,
    ),
    Entry(
        Reason.UPSTREAM_TLS,
        "No TLS with the server",
        "upstream.tls",
        "The proxy and the server did not agree on TLS: the server does not offer it, or its "
        "certificate has expired, is for another name, or comes from nobody who is trusted.",
        "Nothing: the script is not at fault, and a retry does not help.",
        "The words behind the colon say what was wrong. For a private authority set "
        "`upstream.ca`, for another name in the certificate `upstream.server_name`; a server that "
        "speaks in clear where TLS is expected wants the other one of `explicit` and `implicit`.",
        advice="ask the operator",
        example=Example(words="its certificate has expired"),
        party=Party.SERVER,
    ),
    Entry(
        Reason.UPSTREAM_LOGIN,
        "Server no longer accepts this login",
        None,
        "The session had logged in, but the server rejected its password when the proxy had to "
        "log in again for it.",
        "Connect and log in again, with the present password.",
        "The account was changed at the server; `upstream.login_memory` bounds such surprises.",
        advice="log in again",
        scope=Scope.SESSION,
        example=Example(words="Login incorrect."),
        party=Party.SERVER,
    ),
    Entry(
        Reason.UPSTREAM_LOST,
        "Server hung up",
        None,
        "The server closed its control connection in the middle of this command.",
        "Look whether the command took effect, then retry.",
        "See the server's own log: a restart, its idle limit or a quota.",
        example=Example(words="Timeout."),
        party=Party.SERVER,
    ),
    Entry(
        Reason.UPSTREAM_SILENT,
        "Server does not answer",
        "timeouts.final",
        "No final reply to this command came in time. The server hangs, or the way was cut.",
        "Look whether the command took effect, then retry.",
        "Raise `timeouts.final` if the server is slow by nature; otherwise see its own log.",
        example=Example(words="no reply within 60 s"),
        party=Party.SERVER,
    ),
)
