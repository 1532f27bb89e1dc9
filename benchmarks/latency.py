"""Latency: from just before a sample is produced to the webhook that pages somebody, with all stages between.

1,000 messages a second on a real Kafka, `tocsin run` with all its stages beside it; every 50th message breaches a
threshold on a service of its own, so that each is one incident. This process produces, and receives; one clock measures
both ends, and what this process itself is late counts too. Between two breaches it sends a message to itself, through
the same broker with nothing between: that is what these figures are held against.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from benchmarks import workload
from benchmarks.node import Node
from benchmarks.pager import reading, receiving, workers
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from benchmarks.times import ECHO_TIME, Times, quantile
from schemas.topics import ALERTS, outer_name
from streams.time.clock import WallClock

ECHOED = "one hop through the same broker"
PER_SECOND = 1_000
BREACH_EVERY = 50
WARM_UP_SECONDS = 5.0
LAST_SECONDS = 10.0
"""For the last announcement to arrive."""
USUAL, BREACH = 200.0, 5_000.0
QUANTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}

CONFIG = """
kafka: {{partitions: {partitions}, prefix: {prefix}}}
sources: [{{topic: {topic}, keyed: {keyed}}}]
rules: [rules.yml]
notify: {{receivers: [{{type: webhook, name: pager, url: "{url}"}}]}}
record: {{path: tocsin.db}}
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


def measure(setting: Setting, node: Node, command: str) -> Iterator[Row]:
    """Rows of the benchmark: telemetry that is keyed by locality, and telemetry that is not."""
    for path, keyed in (("fused", True), ("two_hops", False)):
        seconds = WARM_UP_SECONDS + (6.0 if setting.quick else 40.0)
        setting.say(f"latency: {path}: {PER_SECOND:,} messages/s for {seconds:g} s")
        run = _Run(node.bootstrap, path, keyed=keyed)
        node.create(run.topic, run.echo_topic, prefix=run.prefix)
        times = asyncio.run(run.measure(round(seconds * PER_SECOND)))
        yield from rows(f"latency.{path}", times, command)


def rows(name: str, times: Times, command: str) -> Iterator[Row]:
    """Rows of one run.

    Raises:
        RuntimeError: nobody was paged.

    """
    pages = times.waits_ms(times.paged)
    if not pages:
        raise RuntimeError("nobody was paged")
    alerts, echoes = times.waits_ms(times.alerted), times.echoes_ms()
    for what, waits in (("webhook", pages), ("alert", alerts)):
        for label, share in QUANTILES.items():
            goal = Goal("value", "<=", 100.0) if (what, label) == ("webhook", "p99") else None
            value, echo = quantile(waits, share), quantile(echoes, share)
            yield Row(f"{name}.{what}.{label}", value, "ms", command, ECHOED, echo, goal)
    yield Row(
        f"{name}.webhook.count",
        len(pages),
        "incidents",
        command,
        "breaches sent",
        sum(at >= times.since for at in times.sent.values()),
        Goal("ratio", ">=", 1.0),
    )


@dataclass(frozen=True)
class _Run:
    """One run on topics of its own."""

    bootstrap: str
    path: str
    keyed: bool

    @property
    def prefix(self) -> str:
        return f"latency-{self.path}-"

    @property
    def topic(self) -> str:
        return f"{self.prefix}telemetry"

    @property
    def echo_topic(self) -> str:
        return f"{self.prefix}echo"

    def _config(self, url: str) -> str:
        return CONFIG.format(
            prefix=self.prefix,
            partitions=workload.PARTITIONS,
            topic=self.topic,
            keyed=str(self.keyed).lower(),
            url=url,
        )

    async def measure(self, count: int) -> Times:
        times = Times(expected=-(-count // BREACH_EVERY))
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        async with (
            receiving(times) as url,
            reading(self.bootstrap, outer_name(ALERTS, self.prefix), times.alert),
            reading(self.bootstrap, self.echo_topic, times.echo),
            workers(self.bootstrap, self._config(url), RULES),
            producer,
        ):
            began = time.perf_counter()
            times.since = began + WARM_UP_SECONDS
            await self._produce(producer, times, began, count)
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_SECONDS):
                    await times.all_paged.wait()
        return times

    async def _produce(
        self, producer: AIOKafkaProducer, times: Times, began: float, count: int
    ) -> None:
        clock = WallClock()
        for number in range(count):
            wait = began + number / PER_SECOND - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            if number % BREACH_EVERY == BREACH_EVERY // 2:
                echo = ECHO_TIME.pack(time.perf_counter())
                await producer.send(self.echo_topic, echo)
            breach = number % BREACH_EVERY == 0
            service = f"breach-{number}" if breach else f"service-{number % workload.SERIES:04d}"
            now_ms = clock.now_ms()
            value = workload.encode(now_ms, BREACH if breach else USUAL, service.encode())
            if breach:
                times.sent[service] = time.perf_counter()
            await producer.send(self.topic, value, service.encode())
