"""The receiver: takes webhooks, remembers what came under which key, and fails when told to."""

from types import TracebackType
from typing import Self

from aiohttp import web


class Pager:
    """A fake receiver; `pages` are the different bodies that it accepted under each idempotency key."""

    def __init__(self) -> None:
        self.pages: dict[str, list[bytes]] = {}
        self.repeats = 0
        self.is_failing = False
        self.url = ""
        app = web.Application()
        app.router.add_post("/page", self._take)
        self._runner = web.AppRunner(app)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/page"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.is_failing:
            return web.Response(status=503)
        bodies = self.pages.setdefault(request.headers["Idempotency-Key"], [])
        if body in bodies:
            self.repeats += 1
        else:
            bodies.append(body)
        return web.Response()
