"""The shop's side of the demo: a small HTTP server that repairs a service, and one that is told of incidents.

Both listen on loopback. The receiver keeps each announcement once by its idempotency key, as a real one would.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web

from streams.produce.shop import Shop


class ShopServer:
    """`POST /repair {"tenant", "service"}` restarts a service; `POST /announce` is a webhook receiver."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._runner: web.AppRunner | None = None
        self.url = ""
        self.repaired: list[tuple[str, str]] = []
        self.announced: dict[str, Mapping[str, Any]] = {}
        self.received = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/repair", self._repair)
        app.router.add_post("/announce", self._announce)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _repair(self, request: web.Request) -> web.Response:
        wanted = orjson.loads(await request.read())
        try:
            fault = self._shop.repair(wanted["tenant"], wanted["service"])
        except (KeyError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        self.repaired.append((wanted["tenant"], wanted["service"]))
        return web.json_response({"restarted": wanted["service"], "leak_ended": fault is not None})

    async def _announce(self, request: web.Request) -> web.Response:
        self.received += 1
        key = request.headers.get("Idempotency-Key", str(self.received))
        self.announced.setdefault(key, orjson.loads(await request.read()))
        return web.json_response({"taken": key})
