"""Pager: the workers in a process of their own, and what listens at their end: a topic's reader, a webhook's server."""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
from aiohttp import ClientSession, web
from aiokafka import AIOKafkaConsumer

from benchmarks.times import Times

START_SECONDS = 60.0
STOP_SECONDS = 20.0
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
    """`tocsin run`, with these stages or all, ready to read; relative paths of its configuration are in a folder.

    Raises:
        RuntimeError: it did not start, or ended before it was told to; the message holds the end of what it said.

    """
    with tempfile.TemporaryDirectory(prefix="tocsin-benchmark-") as folder:
        home = Path(folder)
        (home / "tocsin.yaml").write_text(config)
        (home / "rules.yml").write_text(rules)
        command = [sys.executable, "-m", "streams.cli.main", "run", "--broker", bootstrap]
        command += [part for stage in stages for part in ("--stage", stage)]
        process = await asyncio.create_subprocess_exec(
            *command,
            "--config",
            str(home / "tocsin.yaml"),
            stderr=asyncio.subprocess.PIPE,
            cwd=home,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        assert process.stderr is not None
        said: list[str] = []
        ready = asyncio.Event()

        async def listen(stream: asyncio.StreamReader) -> None:
            async for line in stream:
                said.append(line.decode())
                del said[:-20]
                if line.startswith(b"running "):
                    ready.set()
            ready.set()

        listening = asyncio.create_task(listen(process.stderr))
        try:
            async with asyncio.timeout(START_SECONDS):
                await ready.wait()
            if listening.done():
                raise RuntimeError(f"the workers ended:\n{''.join(said)}")
            yield
            if process.returncode is not None:
                raise RuntimeError(f"the workers ended:\n{''.join(said)}")
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                try:
                    async with asyncio.timeout(STOP_SECONDS):
                        await process.wait()
                except TimeoutError:
                    process.kill()
            await listening


async def longest_pause_ms(port: int) -> float:
    """The longest pause of the workers' event loop, as their metrics tell it."""
    async with (
        ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        text = await answer.text()
    (line,) = (line for line in text.splitlines() if line.startswith(PAUSE))
    return float(line.split()[-1]) * 1000.0
