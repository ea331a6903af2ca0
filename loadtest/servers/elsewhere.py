"""A server that runs already, somewhere: we know its address and a login, and nothing else.

Files are sent there before the run over one session, politely; they stay there afterwards.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ..children import ChildFailed
from ..content import content
from ..layout import members
from ..scenario import Scenario, Server
from ..scripts.client import Gone, Place, Refusal, Session
from ..scripts.data import DataEnd
from .wishes import Evidence

PATIENCE = 30.0


class Elsewhere:
    """Somebody's server."""

    def __init__(self, scenario: Scenario, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._scenario = scenario

    @property
    def pids(self) -> list[int]:
        """None of ours."""
        return []

    @property
    def live(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    async def start(self) -> None:
        """Send the files that scripts will ask for. Raises ChildFailed."""
        try:
            await self._send_files(self._scenario.server)
        except (Gone, Refusal, TimeoutError) as error:
            place = f"{self.host}:{self.port}"
            raise ChildFailed(f"files cannot be sent to {place}: {error}") from error

    async def listen(self) -> None:
        """Hear nothing, until cancelled."""
        await asyncio.get_running_loop().create_future()

    async def stop(self) -> Evidence | None:
        """Leave it as it is: nobody looked."""
        return None

    async def _send_files(self, account: Server) -> None:
        session = await Session.connect(Place(self.host, self.port))
        await session.login(*account.account)
        await session.demand("TYPE I")
        for member in members(self._scenario.scripts):
            await session.ask(f"MKD {member.folder}")  # it may be there already
            for path, size in member.files_on_server():
                end = DataEnd()
                await session.data(end)
                await session.demand(f"STOR {path}")
                await end.give(content(path, size), PATIENCE)
                reply = await session.reply()
                if not reply.is_good:
                    raise Refusal(reply)
        session.quit()
