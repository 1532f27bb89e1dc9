"""A headless Chromium: what it makes of a file, and a page in it that can be clicked.

The page is driven by the Chrome DevTools Protocol over its web socket.
"""

import asyncio
import itertools
import os
import signal
import subprocess
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
PATIENCE_SECONDS = 60


def run(chromium: str, profile: Path, file: Path, *options: str, fragment: str = "") -> str:
    """What Chromium prints about a file: its own output, then its log with the page's console."""
    ended = subprocess.run(
        [
            chromium,
            *QUIET,
            f"--user-data-dir={profile}",
            "--enable-logging=stderr",
            "--virtual-time-budget=2000",
            *options,
            file.as_uri() + fragment,
        ],
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    return ended.stdout.decode() + ended.stderr.decode(errors="replace")


def structure(png: bytes) -> float:
    """Share of a PNG's filtered bytes that are not zero: near 0 for an image of one colour."""
    data, at = b"", 8
    while at < len(png):
        length = int.from_bytes(png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    return float(np.mean(np.frombuffer(zlib.decompress(data), dtype=np.uint8) != 0))


class Page:
    """A page that can be asked and touched, and that remembers what it complained about and asked for."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._loaded = False
        self.complaints: list[str] = []
        self.requests: list[str] = []

    async def call(self, method: str, **params: Any) -> Any:
        """One call of the protocol; what the page says in the meantime is kept."""
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while (said := await self._hear()).get("id") != number:
            pass
        assert "error" not in said, said
        return said["result"]

    async def ask(self, expression: str) -> Any:
        """Value of an expression in the page."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def open(self, url: str) -> None:
        """Go there, and wait until the page has been loaded."""
        for domain in ("Runtime", "Log", "Network", "Page"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=url)
        while not self._loaded:
            await self._hear()

    async def mouse(self, kind: str, selector: str, share: float = 0.5) -> None:
        """A mouse event over an element, at a share of its width."""
        x, y = await self.ask(
            f"(() => {{ const e = document.querySelector({selector!r});"
            " e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
            f" return [b.x + b.width * {share}, b.y + b.height / 2]; }})()"
        )
        button = {"button": "left", "clickCount": 1} if kind != "mouseMoved" else {}
        await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button)

    async def click(self, selector: str) -> None:
        """Click on an element."""
        await self.mouse("mousePressed", selector)
        await self.mouse("mouseReleased", selector)

    async def _hear(self) -> dict[str, Any]:
        """The next that is said, kept when it is an event."""
        said: dict[str, Any] = await self._socket.receive_json(timeout=PATIENCE_SECONDS)
        match said.get("method"):
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded":
                self.complaints.append(str(said["params"]))
            case "Network.requestWillBeSent":
                self.requests.append(said["params"]["request"]["url"])
            case "Page.loadEventFired":
                self._loaded = True
        return said


@asynccontextmanager
async def page(chromium: str, profile: Path) -> AsyncIterator[Page]:
    """An empty page of a browser of its own."""
    browser = await asyncio.create_subprocess_exec(
        chromium,
        *QUIET,
        f"--user-data-dir={profile}",
        "--remote-debugging-port=0",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        note = profile / "DevToolsActivePort"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not note.exists() or len(note.read_text().splitlines()) < 2:
                await asyncio.sleep(0.05)
        port = note.read_text().splitlines()[0]
        async with aiohttp.ClientSession() as session:
            async with session.put(f"http://127.0.0.1:{port}/json/new?about:blank") as answer:
                target = await answer.json()
            address = target["webSocketDebuggerUrl"]
            async with session.ws_connect(address, max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        os.killpg(browser.pid, signal.SIGTERM)
        await asyncio.wait_for(browser.wait(), PATIENCE_SECONDS)
