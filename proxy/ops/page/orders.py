"""What the API may have the proxy do: reload and drain. Each order is announced, whoever gave it.

Who may give one has been judged before (access.py).
"""

from __future__ import annotations

from typing import Protocol

from aiohttp import web

from proxy.events import Announce, Ordered, Reloaded, ReloadRefused


class Obedient(Protocol):
    """What takes the orders: the app."""

    async def reload(self) -> Reloaded | ReloadRefused:
        """Read the file anew and go on by it, or change nothing."""
        ...

    def drain(self) -> None:
        """End after the running transfers, however often it is asked for."""
        ...


class Orders:
    """The routes that change something."""

    def __init__(self, app: Obedient, announce: Announce) -> None:
        self._app = app
        self._announce = announce

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Open the routes."""
        router.add_post("/api/reload", self._reload)
        router.add_post("/api/drain", self._drain)

    async def _reload(self, request: web.Request) -> web.Response:
        self._announce(Ordered("reload", request.remote or ""))
        outcome = await self._app.reload()
        if isinstance(outcome, ReloadRefused):
            told = {"reloaded": False, "problems": outcome.problems}
            return web.json_response(told, status=409)
        return web.json_response(
            {"reloaded": True, "changed": outcome.changed, "warnings": outcome.warnings}
        )

    async def _drain(self, request: web.Request) -> web.Response:
        self._announce(Ordered("drain", request.remote or ""))
        self._app.drain()
        return web.json_response({"draining": True}, status=202)
