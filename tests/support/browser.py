"""A real browser without a screen, driven over its debugging protocol: it sees what readers see.

Everything that the console would show in red is collected in `complaints`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import aiohttp

from .programs import program
from .waiting import until

LOOK = 0.1
PATIENCE = 30.0  # seconds; a machine that runs all tests is slow to start a browser


class Page:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.complaints: list[str] = []

    async def listen(self) -> None:
        """Read what the browser says, until it hangs up."""
        async for message in self._socket:
            told = message.json()
            if (number := told.get("id")) is not None:
                self._answers.pop(number).set_result(told)
            else:
                self._heard(told["method"], told["params"])

    def _heard(self, method: str, told: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
            self.complaints.append(str(told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.complaints.append(str(told["entry"]))

    async def _ask(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(PATIENCE):
            told = await answer
        if "error" in told:
            raise RuntimeError(f"{method}: {told['error']}")
        return told["result"]

    async def open(self, url: str) -> Self:
        """Go to an address."""
        for domain in ("Runtime", "Log", "Page"):
            await self._ask(f"{domain}.enable")
        await self._ask("Page.navigate", url=url)
        return self

    async def look_like(self, *, width: int, height: int, dark: bool = False) -> None:
        """Take the size of a screen, and the colours its owner likes."""
        await self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self._ask("Emulation.setEmulatedMedia", features=[scheme])

    async def tell(self, script: str) -> Any:
        """Return the value of an expression on the page."""
        told = await self._ask("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in told:
            raise RuntimeError(f"{script}: {told['exceptionDetails']}")
        return told["result"].get("value")

    async def text(self, selector: str = "body") -> str:
        """Return what stands there, as it is read."""
        return str(await self.tell(f"document.querySelector({selector!r}).innerText"))

    async def until(self, expression: str, what: str) -> None:
        """Return once an expression on the page is true; on a page half loaded it may fail."""
        for _ in range(round(PATIENCE / LOOK)):
            with contextlib.suppress(RuntimeError):
                if await self.tell(f"Boolean({expression})"):
                    return
            await asyncio.sleep(LOOK)
        raise TimeoutError(f"waited in vain: {what}; the page reads:\n{await self.text()}")

    async def picture(self, *, whole: bool = False) -> bytes:
        """Return what is seen as PNG; `whole`: also what one would have to scroll to."""
        told = await self._ask("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(told["data"])


@contextlib.asynccontextmanager
async def browsing() -> AsyncIterator[Page]:
    """Start the browser with an empty tab; it leaves nothing behind."""
    # A child of the browser's that is just dying may still write a last file.
    with tempfile.TemporaryDirectory(
        prefix="ftpweir-browser-", ignore_cleanup_errors=True
    ) as folder:
        command = [
            program("chromium"),
            "--headless",
            "--no-sandbox",  # tests run as root, where the sandbox refuses to start
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--remote-debugging-port=0",
            f"--user-data-dir={folder}",
            "about:blank",
        ]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that its children can be ended with it
        )
        try:
            port = await asyncio.to_thread(_debugging_port, Path(folder))
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{port}/json/list") as tabs,
            ):
                (tab,) = (one for one in await tabs.json() if one["type"] == "page")
                address = tab["webSocketDebuggerUrl"]
                async with (
                    session.ws_connect(address, max_msg_size=0) as socket,
                    asyncio.TaskGroup() as tasks,
                ):
                    page = Page(socket)
                    listening = tasks.create_task(page.listen())
                    yield page
                    listening.cancel()
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def _debugging_port(folder: Path) -> int:
    told = folder / "DevToolsActivePort"
    until(lambda: told.exists() and "\n" in told.read_text(), "the browser starts", PATIENCE)
    return int(told.read_text().splitlines()[0])
