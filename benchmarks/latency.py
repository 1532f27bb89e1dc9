"""Latency: from just before a sample is produced to the webhook that pages somebody, with all stages between.

1,000 messages a second on a real Kafka, `tocsin run` with all its stages beside it; every 50th message breaches a
threshold on a service of its own, so that each is one incident. This process produces, and receives; one clock measures
both ends, and what this process itself is late counts too. Between two breaches it sends a message to itself, through
the same broker with nothing between: that is what these figures are held against.
"""

import asyncio
import os
import signal
import struct
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from aiohttp import web
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks import workload
from benchmarks.node import Node
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from schemas.topics import ALERTS

TOPIC = "benchmark-live"
ECHO = "benchmark-echo"
PER_SECOND = 1_000
BREACH_EVERY = 50
WARM_UP_SECONDS = 5.0
START_SECONDS = 60.0
LAST_SECONDS = 10.0
"""For the last announcement to arrive, and for the workers to stop."""
ECHO_TIME = struct.Struct("<d")
USUAL, BREACH = 200.0, 5_000.0
QUANTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}

CONFIG = """
kafka: {{partitions: {partitions}}}
sources: [{{topic: {topic}}}]
rules: [rules.yml]
notify: {{receivers: [{{type: webhook, name: pager, url: "{url}"}}]}}
record: {{path: {database}}}
"""
RULES = f"""
groups:
  - name: benchmark
    rules:
      - alert: LatencyHigh
        expr: {workload.METRIC} > 1000
        evaluate: on_arrival
        labels: {{severity: critical}}
"""


@dataclass
class Times:
    """When each breach was sent, its alert on its topic, and somebody paged: seconds by service.

    An echo is a wait already, in milliseconds, beside the time at which it was sent.
    """

    expected: int
    sent: dict[str, float] = field(default_factory=dict)
    alerted: dict[str, float] = field(default_factory=dict)
    paged: dict[str, float] = field(default_factory=dict)
    echoes: list[tuple[float, float]] = field(default_factory=list)
    all_paged: asyncio.Event = field(default_factory=asyncio.Event)

    def page(self, service: str, now: float) -> None:
        """Somebody was paged for a service; only the first time counts."""
        self.paged.setdefault(service, now)
        if len(self.paged) == self.expected:
            self.all_paged.set()

    def alert(self, value: bytes, now: float) -> None:
        """A record of tocsin.alerts arrived; ticks have no labels."""
        labels = msgspec.json.decode(value).get("labels", {})
        self.alerted.setdefault(labels.get("service", ""), now)

    def echo(self, value: bytes, now: float) -> None:
        """A message to this process itself arrived."""
        (at,) = ECHO_TIME.unpack(value)
        self.echoes.append((at, (now - at) * 1000.0))

    def waits_ms(self, arrived: dict[str, float], since: float) -> list[float]:
        """Milliseconds from sending to arrival, for what was sent since then."""
        return [
            (arrived[service] - at) * 1000.0
            for service, at in self.sent.items()
            if at >= since and service in arrived
        ]


def measure(setting: Setting, node: Node, command: str) -> Iterator[Row]:
    """Rows of the benchmark.

    Raises:
        RuntimeError: the workers did not start, or nobody was paged.

    """
    seconds = 15.0 if setting.quick else 60.0
    node.create(TOPIC, ECHO)
    setting.say(f"latency: {PER_SECOND:,} messages/s for {WARM_UP_SECONDS + seconds:g} s")
    times, since = asyncio.run(_run(node.bootstrap, seconds))
    node.forget()
    pages = times.waits_ms(times.paged, since)
    if not pages:
        raise RuntimeError("nobody was paged")
    echoes = [wait_ms for at, wait_ms in times.echoes if at >= since]
    for what, waits in (("webhook", pages), ("alert", times.waits_ms(times.alerted, since))):
        for name, share in QUANTILES.items():
            yield Row(
                f"latency.{what}.{name}",
                quantile(waits, share),
                "ms",
                command,
                "one hop through the same broker",
                quantile(echoes, share),
                Goal("value", "<=", 100.0) if (what, name) == ("webhook", "p99") else None,
            )
    sent = sum(at >= since for at in times.sent.values())
    yield Row(
        "latency.webhook.count",
        len(pages),
        "incidents",
        command,
        "breaches sent",
        sent,
        Goal("ratio", ">=", 1.0),
    )


def quantile(waits: list[float], share: float) -> float:
    """The least wait that this share of the waits does not exceed; a wait that was measured, never one between two."""
    return float(np.quantile(waits, share, method="inverted_cdf"))


async def _run(bootstrap: str, seconds: float) -> tuple[Times, float]:
    count = round((WARM_UP_SECONDS + seconds) * PER_SECOND)
    times = Times(expected=-(-count // BREACH_EVERY))
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    async with (
        _receiving(times) as url,
        _reading(bootstrap, ALERTS, times.alert),
        _reading(bootstrap, ECHO, times.echo),
        _workers(bootstrap, url),
        producer,
    ):
        began = time.perf_counter()
        await _produce(producer, times, began, count)
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await times.all_paged.wait()
    return times, began + WARM_UP_SECONDS


async def _produce(producer: AIOKafkaProducer, times: Times, began: float, count: int) -> None:
    for number in range(count):
        wait = began + number / PER_SECOND - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        if number % BREACH_EVERY == BREACH_EVERY // 2:
            await producer.send(ECHO, ECHO_TIME.pack(time.perf_counter()))
        breach = number % BREACH_EVERY == 0
        service = f"breach-{number}" if breach else f"service-{number % workload.SERIES:04d}"
        now_ms = time.time_ns() // 1_000_000
        value = workload.encode(now_ms, BREACH if breach else USUAL, service.encode())
        if breach:
            times.sent[service] = time.perf_counter()
        await producer.send(TOPIC, value, service.encode())


@asynccontextmanager
async def _receiving(times: Times) -> AsyncIterator[str]:
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
async def _reading(
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
async def _workers(bootstrap: str, url: str) -> AsyncIterator[None]:
    """`tocsin run` with all stages, ready to read."""
    with tempfile.TemporaryDirectory(prefix="tocsin-benchmark-") as folder:
        home = Path(folder)
        facts: dict[str, Any] = {"partitions": workload.PARTITIONS, "topic": TOPIC, "url": url}
        text = CONFIG.format(**facts, database=home / "tocsin.db")
        (home / "tocsin.yaml").write_text(text)
        (home / "rules.yml").write_text(RULES)
        command = [sys.executable, "-m", "streams.cli.main", "run", "--broker", bootstrap]
        process = await asyncio.create_subprocess_exec(
            *command,
            "--config",
            str(home / "tocsin.yaml"),
            stderr=asyncio.subprocess.PIPE,
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
                    async with asyncio.timeout(2 * LAST_SECONDS):
                        await process.wait()
                except TimeoutError:
                    process.kill()
            await listening
