"""The data connections: those that do not come about, and those that break. Words only."""

from __future__ import annotations

from typing import Final

from .reason import Entry, Example, Party, Reason

ROWS: Final = (
    Entry(
        Reason.PASSIVE_PORTS,
        "No free passive port",
        "passive.ports",
        "Every port for data connections of clients is lent to another session.",
        "Send PASV only before a transfer and end idle sessions; retry with a pause.",
        "Widen `passive.ports`, in the firewall too: one port per session that has sent PASV.",
        example=Example(1000, 1000),
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
        example=Example(1000, 1000, retry=12),
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
        example=Example(words="none within 10 s"),
        party=Party.CLIENT,
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
        example=Example(words="none within 10 s"),
        party=Party.SERVER,
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
        party=Party.SERVER,
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
        party=Party.SERVER,
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
        party=Party.SERVER,
    ),
    Entry(
        Reason.STALLED,
        "Transfer stalled",
        "timeouts.stall",
        "The transfer had begun, then no byte moved for the whole of the time limit.",
        "The file is incomplete: fetch it again, or the rest with REST.",
        "The log names the end that was silent. Raise `timeouts.stall` for servers on tape.",
        unit=" s",
        example=Example(limit=120),
        party=Party.EITHER,
    ),
)
