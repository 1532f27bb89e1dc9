"""A real HTTP server on a free loopback port, which answers as it is told and remembers what it was asked."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web


@dataclass
class Seen:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """Answers the n-th request as `answers[n]` says, and 200 after these: a status, headers, seconds before it."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], float]] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    slow_body: bool = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        headers = dict(request.headers)
        self.seen.append(
            Seen(request.method, request.path_qs, headers, await request.content.read())
        )
        number = len(self.seen) - 1
        status, told, seconds = (
            self.answers[number] if number < len(self.answers) else (200, {}, 0.0)
        )
        await asyncio.sleep(seconds)
        if not self.slow_body:
            return web.Response(status=status, headers=told)
        response = web.StreamResponse(status=status, headers=told)
        await response.prepare(request)
        await response.write(b"{")
        await asyncio.sleep(3600)
        return response


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()
