"""Every reason with its sentence, setting, cause and remedies. Words only; no code here decides.

The order is the one of docs/REFUSALS.md: the client's side, the waiting room, the server's side.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .reason import Entry, Reason, Scope

_ENTRIES = (
    Entry(
        Reason.CLASS_SESSIONS,
        "Too many connections",  # lftp lowers its own parallelism when it reads this
        "clients.sessions",
        "This source holds as many sessions as its class allows. Usually scripts that never send "
        "QUIT, or more jobs at once than planned.",
        "End each session with QUIT, also on errors; use fewer jobs at once; retry with a pause.",
        "`ftpweir show sessions` names who holds them; raise `clients.sessions` of the class.",
        example=(4, 4),
        scope=Scope.SESSION,
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
        example=(3, 3),
        scope=Scope.SESSION,
    ),
    Entry(
        Reason.DRAINING,
        "Proxy is shutting down",
        "timeouts.drain",
        "The proxy was told to stop. Transfers that run may end, new work is turned away.",
        "Connect again in a moment; usually the proxy is only restarted.",
        "Nothing if this was meant. `timeouts.drain` sets how long running transfers get.",
        scope=Scope.SESSION,
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
        example=(None, 300),
        scope=Scope.SESSION,
    ),
    Entry(
        Reason.DESCRIPTORS,
        "Too many connections, proxy is out of descriptors",
        None,
        "The operating system lets the proxy open no more files and sockets.",
        "Retry with a pause; the script is not at fault.",
        "Raise the limit of open files (`ulimit -n`, LimitNOFILE): a transfer needs up to six.",
        scope=Scope.SESSION,
    ),
    Entry(
        Reason.FAULT,
        "Fault inside the proxy",
        None,
        "The proxy met something its authors did not foresee. The server is not to blame.",
        "Retry once; if it comes back, give the reference to the operator.",
        "Look the reference up in the log: the full error stands there. Please report it.",
        scope=Scope.SESSION,
    ),
    Entry(
        Reason.CLASS_TRANSFERS,
        "Too many transfers at once",
        "clients.transfers",
        "This source runs as many transfers as its class allows, and a place came free too late.",
        "Run fewer transfers side by side, or retry this one with a pause.",
        "Raise `clients.transfers` of the class, or `queue.max_wait` to let scripts wait longer.",
        example=(4, 4),
    ),
    Entry(
        Reason.CLASS_RATE,
        "Too many transfers a minute",
        "clients.transfers_per_minute",
        "This source starts transfers faster than its class allows.",
        "Spread the work, or put many small files into one archive.",
        "Raise `clients.transfers_per_minute` of the class if the budget has room for it.",
        example=(60, 60),
    ),
    Entry(
        Reason.BUDGET,
        "Too many connections for the firewall",
        "budget.connections",
        "The firewall before the server tolerates a number of connections, closed ones included "
        "for a while. All are used; one more could get this address banned.",
        "Retry after the time given: a place is due then. Fewer, larger files need fewer places.",
        "`ftpweir plan` tells what the budget can carry; `budget.close: reset` stretches it.",
        example=(380, 380),
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
    ),
    Entry(
        Reason.QUEUE_FULL,
        "Queue is full",
        "queue.max_length",
        "As many commands wait for a place as the queue holds; this one could not join them.",
        "Run fewer jobs at once, or retry with a pause.",
        "`ftpweir show queue` names who waits; raise `queue.max_length` if need be.",
        example=(1000, 1000),
    ),
    Entry(
        Reason.QUEUE_WAIT,
        "No place came free in time",
        "queue.max_wait",
        "The command waited as long as allowed. Longer would outlast the patience of the client: "
        "curl gives up after 60 s without a reply.",
        "Retry after the time given.",
        "`ftpweir top` tells what holds the places; `queue.max_wait` above 50 s loses curl.",
    ),
    Entry(
        Reason.ETA_TOO_LONG,
        "Wait would be too long",
        "queue.max_wait",
        "The queue is so long that this command would have waited in vain: it is told at once.",
        "Retry after the time given rather than sooner.",
        "As for queue_wait. A standing queue means that the budget cannot carry the load.",
        unit=" s",
        example=(95, 40),
    ),
    Entry(
        Reason.PASSIVE_PORTS,
        "No free passive port",
        "passive.ports",
        "Every port for data connections of clients is lent to another session.",
        "Send PASV only before a transfer and end idle sessions; retry with a pause.",
        "Widen `passive.ports`, in the firewall too: one port per session that has sent PASV.",
        example=(1000, 1000),
    ),
    Entry(
        Reason.UPSTREAM_PORTS,
        "No free port for the server to connect to",
        "upstream.ports",
        "In active mode the server connects to the proxy, and every port kept for that is in use, "
        "or rests as long as the firewall counts its last connection. Where fewer are used than "
        "there are, other programs hold the others.",
        "Retry with a pause; the script is not at fault.",
        "Widen `upstream.ports`, in the firewall too, or set `upstream.data: passive`.",
        example=(1000, 1000),
    ),
    Entry(
        Reason.CLIENT_DATA,
        "Your data connection failed",
        "timeouts.connect",
        "After PASV the client never connected to the port it was told; after PORT its own port "
        "could not be reached. Mostly a firewall, or an address behind NAT.",
        "Use passive mode; if it is in use already, check that the ports can be reached.",
        "Open `passive.ports` to the clients; behind NAT set `passive.address`.",
        advice="check firewall and passive mode",
    ),
    Entry(
        Reason.UPSTREAM_DATA,
        "Server's data connection failed",
        "timeouts.connect",
        "No data connection between proxy and server came about, though the server answers "
        "commands. A firewall on the way, or already a ban.",
        "Retry with a pause; the script is not at fault.",
        "Try PASV, EPSV and PORT by hand from this host, and the other `upstream.data`; a ban "
        "asks for a smaller `budget.connections`.",
    ),
    Entry(
        Reason.UPSTREAM_DATA_LOST,
        "Transfer broken off: the server's data connection was lost",
        None,
        cause="The data connection with the FTP server broke before its regular end. Whatever the "
        "server says of the transfer, bytes may be missing, so it counts as failed.",
        script="Send the transfer command again; what was received is only a part.",
        operator="Many of these point to a firewall that resets connections, or to a server that "
        "is short of memory or disk space: its own log tells.",
    ),
    Entry(
        Reason.FILE_CHANGED,
        "Transfer broken off: the file changed meanwhile",
        "heal.downloads",
        cause="The connection with the FTP server broke in the middle of a file. ftpweir was about "
        "to fetch the rest, but the file's size or date is no longer what it was at its beginning: "
        "the two parts might not belong together.",
        script="Fetch the file again from its beginning; throw away what was received.",
        operator="Somebody writes files while they are fetched: let them be written under another "
        "name and renamed when they are whole.",
    ),
    Entry(
        Reason.UPLOAD_UNSURE,
        "Upload broken off: send it again",
        "heal.upload_memory",
        cause="The connection with the FTP server broke in the middle of an upload, or the server "
        "has another size than what was sent. ftpweir goes on only where it is provable which "
        "bytes the server lacks and where it still has them in memory.",
        script="Send the file again from its beginning; what the server has is only a part.",
        operator="Raise `heal.upload_memory` (one upload keeps an eighth of it), and let the "
        "server take REST before STOR (proftpd: `AllowStoreRestart on`).",
    ),
    Entry(
        Reason.STALLED,
        "Transfer stalled",
        "timeouts.stall",
        "The transfer had begun, then no byte moved for the whole of the time limit.",
        "The file is incomplete: fetch it again, or the rest with REST.",
        "The log names the end that was silent. Raise `timeouts.stall` for servers on tape.",
        unit=" s",
        example=(None, 120),
    ),
    Entry(
        Reason.UPSTREAM_SESSIONS,
        "Too many connections to the server",
        "upstream.sessions",
        "The server allows few sessions, and none came free in time: all are lent or pinned.",
        "End sessions that are not needed; retry with a pause.",
        "`ftpweir show sessions` names pinned ones; `upstream.pooling: transfer` shares best. "
        "Raise `upstream.sessions` only if the server allows more.",
        example=(2, 2),
    ),
    Entry(
        Reason.UPSTREAM_DOWN,
        "Server is down",
        "upstream.host",
        "The server's machine is there and refused the connection: nothing listens at that port.",
        "Retry with a pause; the script is not at fault.",
        "Check that the server runs; `ftpweir doctor` tests `upstream.host` and `upstream.port`.",
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
    ),
    Entry(
        Reason.UPSTREAM_REFUSED,
        "Server refuses",  # short, so that the server's own words fit the line
        None,
        "The server itself turned the proxy away; its words are passed on.",
        "Retry with a pause; the script is not at fault.",
        "If it says too many connections: lower `upstream.sessions`, or find who else connects "
        "from this address.",
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
    ),
    Entry(
        Reason.UPSTREAM_LOST,
        "Server hung up",
        None,
        "The server closed its control connection in the middle of this command.",
        "Look whether the command took effect, then retry.",
        "See the server's own log: a restart, its idle limit or a quota.",
    ),
    Entry(
        Reason.UPSTREAM_SILENT,
        "Server does not answer",
        "timeouts.final",
        "No final reply to this command came in time. The server hangs, or the way was cut.",
        "Look whether the command took effect, then retry.",
        "Raise `timeouts.final` if the server is slow by nature; otherwise see its own log.",
        unit=" s",
        example=(None, 60),
    ),
)

REFUSALS: Mapping[Reason, Entry] = MappingProxyType({entry.reason: entry for entry in _ENTRIES})
