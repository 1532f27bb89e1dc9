"""Catch-up: an hour in which nobody worked is worked through; how fast, and who is told of what.

All stages in one process on a real Kafka. They work for ten minutes of telemetry and stop; then an hour of it comes,
500 messages a second, and the stages go on with a clock that is an hour later. One service breaches a threshold for
ten minutes of that hour, which is over; another one from its middle on, which still holds; two alerts tell of each.
Once with a `page_horizon` of five minutes, so that nobody is told of what is over and once of what holds, and once with
that of an hour, which is the default: so long an absence hushes nothing, and each alert is told as if nobody had been
away.
"""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec
from aiohttp import web

from benchmarks import workload
from benchmarks.node import Node
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from schemas.config import Config
from schemas.topics import Topic, all_topics
from streams.app import Setting as WorkersSetting
from streams.app import Workers
from streams.time.clock import WallClock
from streams.transport.admin import create_topics
from streams.transport.broker import Broker

PER_SECOND = 500
BEFORE_SECONDS, AWAY_SECONDS = 600, 3_600
OVER, HOLDS = b"service-over", b"service-holds"
BREACH = 5_000.0
ALERTS = 2.0
PATIENCE_SECONDS = 600.0
GOAL = 20.0
HORIZONS: dict[str, dict[str, str]] = {"five_minutes": {"page_horizon": "5m"}, "default": {}}
RULES = f"""
groups:
  - name: catch-up
    interval: 10s
    rules:
      - {{alert: LatencyHigh, expr: {workload.METRIC} > 1000, labels: {{severity: critical}}}}
      - alert: LatencyHighForLong
        expr: avg_over_time({workload.METRIC}[2m]) > 1000
        for: 1m
        labels: {{severity: warning}}
      - record: latency:mean
        expr: avg_over_time({workload.METRIC}[1m])
"""


def measure(setting: Setting, node: Node, command: str) -> Iterator[Row]:
    """Rows of the benchmark."""
    speed = Goal("value", ">=", GOAL)
    per_second = PER_SECOND // 5 if setting.quick else PER_SECOND
    for name, horizon in HORIZONS.items():
        setting.say(f"catch_up: an hour of {per_second} messages/s, {name}: {horizon}")
        seconds, pages = asyncio.run(_run(setting, node, per_second, name, horizon))
        of = f"catch_up.{name}"
        yield Row(f"{of}.speed", AWAY_SECONDS / seconds, "times real time", command, goal=speed)
        yield Row(f"{of}.messages", AWAY_SECONDS * per_second / seconds, "messages/s", command)
        over, holds = (pages[service.decode()] for service in (OVER, HOLDS))
        hushed = "page_horizon" in horizon
        none = Goal("value", "<=", 0.0) if hushed else None
        few = Goal("value", "<=", 1.0 if hushed else ALERTS)
        yield Row(f"{of}.told_of_what_is_over", over, "pages", command, goal=none)
        yield Row(f"{of}.told_of_what_holds", holds, "pages", command, goal=few)


async def _make_topics(node: Node, prefix: str, telemetry: str) -> None:
    # the hour that is missed lies before us, and the broker would refuse what is far ahead of its clock
    ahead = {"message.timestamp.after.max.ms": "86400000"}
    own = [
        replace(topic, settings=topic.settings | ahead)
        for topic in all_topics((), workload.PARTITIONS, prefix)
    ]
    source = Topic(telemetry, "any", "telemetry", workload.PARTITIONS, ahead)
    await create_topics(Broker(node.bootstrap), [source, *own])


def messages(start_ms: int, seconds: range, per_second: int) -> Iterator[workload.Message]:
    """Telemetry of a stretch; a service sends each ten seconds."""
    for second in seconds:
        for n in range(per_second):
            number = second % 10 * per_second + n
            at = start_ms + second * 1000 + n * 1000 // per_second
            key = b"service-%05d" % number
            yield workload.Message(n % workload.PARTITIONS, key, _sample(at, 300.0, key), at)
        if second % 10 == 0:
            at = start_ms + second * 1000
            minute = second // 60
            for partition, key, down in ((0, OVER, range(20, 30)), (1, HOLDS, range(40, 1000))):
                value = BREACH if minute in down else 300.0
                yield workload.Message(partition, key, _sample(at, value, key), at)


def _sample(at: int, value: float, key: bytes) -> bytes:
    return workload.encode(at, value, key)


async def _run(
    setting: Setting, node: Node, per_second: int, name: str, horizon: dict[str, str]
) -> tuple[float, Counter[str]]:
    """Seconds that the hour took, and how often each service was told of."""
    prefix = f"catch-up-{name}-"
    telemetry = f"{prefix}telemetry"
    await _make_topics(node, prefix, telemetry)
    start_ms = setting.now_ms - BEFORE_SECONDS * 1000
    pages: Counter[str] = Counter()
    end = BEFORE_SECONDS + AWAY_SECONDS
    with tempfile.TemporaryDirectory(prefix="tocsin-benchmark-") as folder:
        async with _counting(pages) as url:
            config = Config.model_validate(
                {
                    "kafka": {"prefix": prefix, "partitions": workload.PARTITIONS},
                    "sources": [{"topic": telemetry, "keyed": True}],
                    "time": horizon,
                    "notify": {"receivers": [{"type": "webhook", "name": "p", "url": url}]},
                    "record": {"path": f"{folder}/tocsin.db"},
                }
            )
            before = messages(start_ms, range(BEFORE_SECONDS), per_second)
            await asyncio.to_thread(node.fill, telemetry, before)
            async with _working(config, node, 0) as workers:
                count = BEFORE_SECONDS * per_second
                await _until(lambda: workers.host.runners["fused"].stats.records > count)
                await _until(lambda: workers.lag() == 0)
            missed = messages(start_ms, range(BEFORE_SECONDS, end), per_second)
            await asyncio.to_thread(node.fill, telemetry, missed)
            began = time.perf_counter()
            async with _working(config, node, AWAY_SECONDS * 1000) as workers:
                count = AWAY_SECONDS * per_second
                await _until(lambda: workers.host.runners["fused"].stats.records >= count)
                seconds = time.perf_counter() - began
                await _until(lambda: pages[HOLDS.decode()] > 0 and workers.lag() == 0)
    return seconds, pages


class _Later:
    """The machine's clock, and so much."""

    def __init__(self, later_ms: int) -> None:
        self._wall = WallClock()
        self._later_ms = later_ms

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return self._wall.now_ms() + self._later_ms


@asynccontextmanager
async def _working(config: Config, node: Node, later_ms: int) -> AsyncIterator[Workers]:
    broker = Broker.from_config(config.kafka, node.bootstrap)
    setting = WorkersSetting(config, workload.rules(RULES), broker, _Later(later_ms))
    async with Workers(setting) as workers:
        yield workers


@asynccontextmanager
async def _counting(pages: Counter[str]) -> AsyncIterator[str]:
    """A server for webhooks; gives its URL."""

    async def page(request: web.Request) -> web.Response:
        told = msgspec.json.decode(await request.read())
        pages.update({alert["labels"]["service"] for alert in told["alerts"]})
        return web.Response()

    app = web.Application()
    app.router.add_post("/", page)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not true():  # noqa: ASYNC110  the stages tell nobody how far they are
            await asyncio.sleep(0.05)
