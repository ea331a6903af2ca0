"""What is tried only when asked for: a file written and removed again, and how many sessions go.

LineLost passes through. Each session opened is closed with QUIT before the next look.
"""

from __future__ import annotations

import secrets
import ssl
from contextlib import suppress

from .credentials import Credentials
from .data import DataVisit
from .seen import Sessions, Write
from .visit import greet, log_in
from .wire import ControlLine, Dialler, LineLost

CONTENT = b"ftpweir doctor\r\n"
MOST_SESSIONS = 20  # more proves nothing, and a firewall counts each


def try_to_write(line: ControlLine, data: DataVisit, folder: str, patience: float) -> Write | None:
    """Store a small file under a new name and delete it; None: no data connection came about."""
    path = f"{folder.rstrip('/')}/ftpweir-doctor-{secrets.token_hex(4)}"
    _, sock = data.open_passively("PASV")
    if sock is None:
        _, sock = data.open_passively("EPSV")
    if sock is None:
        return None
    first = line.ask(f"STOR {path}", patience)
    if not first.is_preliminary:
        sock.close()
        return Write(path, first.code, first.words)
    broke = ""
    try:
        sock = data.protect(sock)
        sock.settimeout(patience)
        sock.sendall(CONTENT)
        if isinstance(sock, ssl.SSLSocket):
            sock = sock.unwrap()  # close_notify: else strict servers take it for a broken upload
    except OSError as problem:
        broke = problem.strerror or str(problem)
    sock.close()
    final = line.reply(patience)
    line.ask(f"DELE {path}", patience)
    return Write(path, final.code, final.words, had_begun=True, broke=broke)


def count_sessions(
    dialler: Dialler,
    host: str,
    port: int,
    *,
    login: Credentials | None,
    patience: float,
    already: int,
) -> Sessions:
    """Open sessions beside the `already` open ones until the server refuses one."""
    lines: list[ControlLine] = []
    refusal = ""
    try:
        while already + len(lines) < MOST_SESSIONS and not refusal:
            _, sock = dialler.connect(host, port)
            if sock is None:
                break
            line = ControlLine(sock)
            lines.append(line)
            refusal = _refusal(line, login, patience)
    finally:
        for line in lines:
            with suppress(LineLost):
                line.quit()
    most = already + len(lines) - bool(refusal)
    return Sessions(most, refusal, MOST_SESSIONS)


def _refusal(line: ControlLine, login: Credentials | None, patience: float) -> str:
    """Return the words with which the server turned this session away; empty: it did not."""
    greeting = greet(line, patience)
    if not greeting.is_welcome:
        return str(greeting)
    if login is None:
        return ""
    # proftpd and others look at the limit only when they know the user.
    entered = log_in(line, login, patience)
    return "" if entered.is_done else f"{entered.code} {entered.words}"
