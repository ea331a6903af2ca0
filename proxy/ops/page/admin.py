"""The status page, /metrics, the health checks and the API, over HTTP.

Reads snapshots; what changes something is in orders.py. Every answer is small, every visitor is
judged by the doorkeeper first, and when too many connect the oldest connection goes: a newcomer is
always served.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

from proxy.refusals import Reason

from ..metrics.exposition import CONTENT_TYPE
from ..pulse import Sample
from ..snapshot import Snapshot
from .access import ACTION_HEADER, COOKIE, Doorkeeper, Verdict, Visit
from .answers import Answers, as_json
from .orders import Orders
from .view import NoSight, View

MOST_CONNECTIONS: Final = 64
LARGEST_REQUEST: Final = 64 * 1024  # bytes of a body; the headers have aiohttp's own limit (8 KiB)
KEEP_ALIVE: Final = 30.0
TROUBLE_LASTS: Final = 10.0  # seconds: who is not asked to serve would never learn that it may

PAGE: Final = Path(__file__).with_name("page.html")
UNREACHABLE: Final = frozenset({Reason.UPSTREAM_DOWN.value, Reason.UPSTREAM_UNREACHABLE.value})

_REFUSED: Final[Mapping[Verdict, tuple[int, str]]] = {
    Verdict.UNKNOWN: (
        401,
        "This page wants its token: `Authorization: Bearer TOKEN`, or /?token=TOKEN in a browser.\n"
        "It is `status.token` in the configuration.\n",
    ),
    Verdict.FOREIGN: (
        403,
        "Ask for this page by a local name, such as http://127.0.0.1:8021/ or localhost.\n"
        "Under any other name a foreign web page could read it.\n",
    ),
    Verdict.UNASKED: (403, f"A request that changes something needs the header {ACTION_HEADER}.\n"),
}


class Admin:
    """Serves from `open` to `close`; without orders it only shows."""

    def __init__(self, view: View, orders: Orders | None, *, token: str | None) -> None:
        self._view = view
        self._answers = Answers()
        self._doorkeeper = Doorkeeper(token)
        self._page = PAGE.read_text(encoding="utf-8")
        self._policy = _content_policy(self._page)
        app = web.Application(middlewares=[self._judged], client_max_size=LARGEST_REQUEST)
        app.router.add_get("/", self._show_page)
        app.router.add_get("/metrics", self._show_metrics)
        app.router.add_get("/healthz", self._say_alive)
        app.router.add_get("/readyz", self._say_ready)
        app.router.add_get("/api/config", self._show_config)
        app.router.add_get("/api/history", self._show_history)
        app.router.add_get("/api/{section}", self._show_section)
        if orders is not None:
            orders.add_to(app.router)
        self._runner = web.AppRunner(
            app,
            handle_signals=False,
            access_log=None,
            keepalive_timeout=KEEP_ALIVE,
            shutdown_timeout=1.0,
        )
        self._server: asyncio.Server | None = None

    async def open(self, sock: socket.socket) -> None:
        """Serve at this listening socket."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        if sock.family == socket.AF_UNIX:
            self._server = await loop.create_unix_server(self._connected, sock=sock)
        else:
            self._server = await loop.create_server(self._connected, sock=sock)

    async def close(self) -> None:
        """Hang up on everybody."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()

    def _connected(self) -> asyncio.BaseProtocol:
        server = self._runner.server
        assert server is not None
        connections = server.connections
        if len(connections) >= MOST_CONNECTIONS:
            connections[0].force_close()
        protocol: asyncio.BaseProtocol = server()
        return protocol

    @web.middleware
    async def _judged(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        verdict = self._doorkeeper.judge(_visit(request))
        response: web.StreamResponse
        if verdict is Verdict.REMEMBER:
            response = _remembering(request)
        elif verdict in _REFUSED:
            status, words = _REFUSED[verdict]
            response = web.Response(status=status, text=words)
        else:
            try:
                response = await handler(request)
            except web.HTTPException as refusal:
                response = web.Response(status=refusal.status, text=f"{refusal.reason}\n")
            except NoSight as problem:
                response = web.Response(status=503, text=f"{problem}\n")
        response.headers["Server"] = "ftpweir"
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"  # an address may hold the token
        response.headers["Content-Security-Policy"] = self._policy
        return response

    async def _show_page(self, request: web.Request) -> web.Response:
        return web.Response(text=self._page, content_type="text/html")

    async def _show_metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=await self._view.metrics(), headers={"Content-Type": CONTENT_TYPE})

    async def _say_alive(self, request: web.Request) -> web.Response:
        if silent := await self._view.silent():
            return web.Response(text=f"no sign of life: {', '.join(silent)}\n", status=503)
        return web.Response(text="alive\n")

    async def _say_ready(self, request: web.Request) -> web.Response:
        try:
            parts = failing(await self._view.snapshot())
        except NoSight:
            parts = ["workers"]
        told = {"ready": not parts, "failing": parts}
        return _json(as_json(told), status=503 if parts else 200)

    async def _show_section(self, request: web.Request) -> web.Response:
        seen = await self._view.snapshot()
        try:
            return _json(self._answers.about(request.match_info["section"], seen))
        except KeyError:
            raise web.HTTPNotFound from None

    async def _show_config(self, request: web.Request) -> web.Response:
        return _json(as_json({"settings": await self._view.settings()}))

    async def _show_history(self, request: web.Request) -> web.Response:
        columns = Sample.__match_args__
        rows = [[getattr(one, name) for name in columns] for one in await self._view.history()]
        return _json(as_json({"columns": columns, "samples": rows}))


def failing(seen: Snapshot) -> list[str]:
    """Name what keeps us from serving; no words of the server's: everybody may read it."""
    parts = []
    if not seen.phase.is_ready:
        parts.append(seen.phase.value)
    trouble = seen.trouble
    if (
        trouble is not None
        and not trouble.is_over
        and trouble.reason in UNREACHABLE
        and not trouble.server  # one of several is no reason to keep clients from all of them
        and seen.at - trouble.at < TROUBLE_LASTS
    ):
        parts.append(trouble.reason)
    if seen.store_lost == "closed":
        parts.append("store")
    if seen.store_new_for and not any(one.open for one in seen.budgets):
        parts.append("store_new")
    return parts


def _visit(request: web.Request) -> Visit:
    return Visit(
        method=request.method,
        path=request.path,
        host=request.headers.get("Host", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        cookie=request.cookies.get(COOKIE, ""),
        query_token=request.query.get("token", ""),
    )


def _remembering(request: web.Request) -> web.Response:
    """Put the token into a cookie and take it out of the address."""
    response = web.Response(status=303, headers={"Location": request.path})
    response.set_cookie(COOKIE, request.query["token"], httponly=True, samesite="Strict", path="/")
    return response


def _json(body: bytes, *, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json", charset="utf-8")


def _content_policy(page: str) -> str:
    """Allow the page's own script and style, and questions to ourselves; nothing else."""

    def sources(tag: str) -> str:
        texts = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digests = (hashlib.sha256(text.encode()).digest() for text in texts)
        return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)

    return (
        f"default-src 'none'; script-src {sources('script')}; style-src {sources('style')}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
