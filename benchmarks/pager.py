"""Pager: the workers in a process of their own, and what listens at their end: a topic's reader, a webhook's server."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import msgspec
from aiohttp import ClientSession, web
from aiokafka import AIOKafkaConsumer

from benchmarks.fleet import fleet
from benchmarks.times import Times

PAUSE = "tocsin_loop_longest_pause_seconds"


@asynccontextmanager
async def receiving(times: Times) -> AsyncIterator[str]:
    """A server for webhooks; gives its URL."""

    async def page(request: web.Request) -> web.Response:
        now = time.perf_counter()
        for alert in msgspec.json.decode(await request.read())["alerts"]:
            times.page(alert["labels"]["service"], now)
        return web.Response()

    app = web.Application()
    app.router.add_post("/", page)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def reading(
    bootstrap: str, topic: str, take: Callable[[bytes, float], None]
) -> AsyncIterator[None]:
    """Reads a topic as any consumer could; `take` gets each value and the time of its arrival."""

    async def read(consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            take(record.value, time.perf_counter())

    async with AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="latest"
    ) as consumer:
        task = asyncio.create_task(read(consumer))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def workers(
    bootstrap: str, config: str, rules: str, stages: Sequence[str] = ()
) -> AsyncIterator[None]:
    """`tocsin run`, with these stages or all, ready to read.

    Raises:
        RuntimeError: it did not start, or ended before it was told to; the message holds the end of what it said.

    """
    async with fleet(bootstrap, config, rules, stages) as one:
        await one.start()
        yield


async def longest_pause_ms(port: int) -> float:
    """The longest pause of the workers' event loop, as their metrics tell it."""
    async with (
        ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        text = await answer.text()
    (line,) = (line for line in text.splitlines() if line.startswith(PAUSE))
    return float(line.split()[-1]) * 1000.0
