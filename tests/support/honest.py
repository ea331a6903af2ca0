"""What an honest FTP server does for each verb; scripted.py obeys so unless a test says otherwise.

Never judges a client: it serves whatever it is asked for, and keeps its state on the visit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from .scripted import Visit

Handler: TypeAlias = Callable[["Visit", bytes], Awaitable[None]]

GREETING = "GREETING"  # the verb of what nobody asked for
CHUNK = 1 << 16


class HangUp(Exception):
    """Ends a visit; raised by handlers."""


def says(*texts: str) -> Handler:
    """Answer with these lines, whatever was asked."""

    async def answer(visit: Visit, argument: bytes) -> None:
        await visit.send("".join(text + "\r\n" for text in texts).encode())

    return answer


def last_says(*texts: str) -> Handler:
    """Answer with these lines and hang up."""

    async def answer(visit: Visit, argument: bytes) -> None:
        await says(*texts)(visit, argument)
        raise HangUp

    return answer


async def _greet(visit: Visit, _: bytes) -> None:
    await visit.say("220 Scripted.")


async def _user(visit: Visit, name: bytes) -> None:
    visit.user = name
    await visit.say("331 Password?")


async def _pass(visit: Visit, password: bytes) -> None:
    passwords = visit.server.passwords
    if passwords and passwords.get(visit.user) != password:
        await visit.say("530 Login incorrect.")
        return
    visit.server.logins += 1
    await visit.say("230 Welcome.")


async def _cwd(visit: Visit, path: bytes) -> None:
    visit.cwd = visit.path(path).rstrip(b"/") or b"/"
    await visit.say("250 Moved.")


async def _cdup(visit: Visit, _: bytes) -> None:
    visit.cwd = visit.cwd.rpartition(b"/")[0] or b"/"
    await visit.say("250 Moved.")


async def _pwd(visit: Visit, _: bytes) -> None:
    await visit.send(b'257 "' + visit.cwd.replace(b'"', b'""') + b'" is here.\r\n')


async def _type(visit: Visit, value: bytes) -> None:
    visit.type = value
    await visit.say("200 Set.")


async def _pasv(visit: Visit, _: bytes) -> None:
    numbers = (*visit.server.host.split("."), *map(str, divmod(visit.listen(), 256)))
    await visit.say(f"227 Entering ({','.join(numbers)}).")


async def _port(visit: Visit, argument: bytes) -> None:
    *host, high, low = argument.decode().split(",")
    visit.point_at(".".join(host), int(high) * 256 + int(low))
    await visit.say("200 Noted.")


async def _rest(visit: Visit, offset: bytes) -> None:
    visit.offset = int(offset)
    await visit.say("350 Next.")


async def _download(visit: Visit, content: bytes) -> None:
    offset, visit.offset = visit.offset, 0
    await visit.say("150 Here it comes.")
    with await visit.data() as sock:
        try:
            await asyncio.get_running_loop().sock_sendall(sock, content[offset:])
        except ConnectionError:
            await visit.say("426 You closed the data connection.")
            return
    await visit.say("226 Done.")


async def _retr(visit: Visit, name: bytes) -> None:
    content = visit.server.files.get(visit.path(name))
    if content is None:
        visit.offset = 0
        await visit.say("550 No such file.")
    else:
        await _download(visit, content)


async def _list(visit: Visit, _: bytes) -> None:
    inside = visit.cwd.rstrip(b"/") + b"/"
    names = sorted(path for path in visit.server.files if path.startswith(inside))
    await _download(visit, b"".join(path[len(inside) :] + b"\r\n" for path in names))


async def _stor(visit: Visit, name: bytes) -> None:
    offset, visit.offset = visit.offset, 0
    await _upload(visit, name, visit.server.files.get(visit.path(name), b"")[:offset])


async def _appe(visit: Visit, name: bytes) -> None:
    await _upload(visit, name, visit.server.files.get(visit.path(name), b""))


async def _upload(visit: Visit, name: bytes, content: bytes) -> None:
    await visit.say("150 Send it.")
    loop = asyncio.get_running_loop()
    with await visit.data() as sock:
        try:
            while data := await loop.sock_recv(sock, CHUNK):
                content += data
        except ConnectionError:
            await visit.say("426 You closed the data connection.")
            return
    visit.server.files[visit.path(name)] = content
    await visit.say("226 Stored.")


async def _size(visit: Visit, name: bytes) -> None:
    content = visit.server.files.get(visit.path(name))
    await visit.say("550 No such file." if content is None else f"213 {len(content)}")


async def _mdtm(visit: Visit, name: bytes) -> None:
    known = visit.path(name) in visit.server.files
    await visit.say(f"213 {visit.server.modified}" if known else "550 No such file.")


async def _rnfr(visit: Visit, name: bytes) -> None:
    visit.renaming = visit.path(name)
    await visit.say("350 To?" if visit.renaming in visit.server.files else "550 No such file.")


async def _rnto(visit: Visit, name: bytes) -> None:
    files = visit.server.files
    files[visit.path(name)] = files.pop(visit.renaming)
    await visit.say("250 Renamed.")


async def _dele(visit: Visit, name: bytes) -> None:
    gone = visit.server.files.pop(visit.path(name), None)
    await visit.say("550 No such file." if gone is None else "250 Gone.")


HONEST: dict[str, Handler] = {
    GREETING: _greet,
    "USER": _user,
    "PASS": _pass,
    "CWD": _cwd,
    "CDUP": _cdup,
    "PWD": _pwd,
    "TYPE": _type,
    "PASV": _pasv,
    "PORT": _port,
    "REST": _rest,
    "RETR": _retr,
    "LIST": _list,
    "NLST": _list,
    "STOR": _stor,
    "APPE": _appe,
    "SIZE": _size,
    "MDTM": _mdtm,
    "RNFR": _rnfr,
    "RNTO": _rnto,
    "DELE": _dele,
    "SYST": says("215 UNIX Type: L8"),
    "FEAT": says("211-Features:", " SIZE", " REST STREAM", " UTF8", "211 End"),
    "OPTS": says("200 Set."),
    "SITE": says("200 Done."),
    "STAT": says("213 Fine."),
    "NOOP": says("200 Here."),
    "MKD": says('257 "/new" made.'),
    "QUIT": last_says("221 Goodbye."),
}
