"""Latency: from just before a sample is produced to its alert, and to the webhook that pages somebody.

A real Kafka, `tocsin run` beside it; a few messages breach a threshold, each on a service of its own, so that each is
one incident. With all stages at 1,000 messages a second, up to the webhook; with detect alone at 1,000 and at 50,000,
up to the alert's record, with the longest pause of its event loop; a rule that is evaluated every ten seconds and the
checkpoints are in it. One process sends and this one receives, by one clock, and what they themselves are late counts
too. Between two breaches a message goes from the one to the other with nothing between but the broker: that is what
these figures are held against.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

from benchmarks import workload
from benchmarks.node import Node
from benchmarks.pace import Breaches, produce
from benchmarks.pager import longest_pause_ms, reading, receiving, workers
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from benchmarks.times import Times, quantile
from schemas.topics import ALERTS, outer_name

ECHOED = "one hop through the same broker"
WARM_UP_SECONDS = 15.0
"""At 1,000 messages a second ten pass before every series is known, and the first tick looks at all of them."""
LAST_SECONDS = 10.0
"""For the last announcement to arrive."""
QUANTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
METRICS_PORT = 9109

CONFIG = """
kafka: {{partitions: {partitions}, prefix: {prefix}}}
sources: [{{topic: {topic}, keyed: {keyed}}}]
rules: [rules.yml]
notify: {{receivers: [{{type: webhook, name: pager, url: "{url}"}}]}}
record: {{path: tocsin.db}}
metrics: {{port: {port}}}
"""
RULES = f"""
groups:
  - name: benchmark
    rules:
      - alert: LatencyHigh
        expr: {workload.METRIC} > 1000
        evaluate: on_arrival
        labels: {{severity: critical}}
  - name: means
    interval: {workload.WINDOW_SECONDS}s
    rules:
      - alert: NeverHigh
        expr: avg_over_time({workload.METRIC}[{workload.WINDOW_SECONDS}s]) > 1e9
"""


@dataclass(frozen=True)
class Run:
    """One run on topics of its own.

    Attributes:
        name: of its rows.
        per_second: messages.
        goals: most milliseconds, by what is measured and which quantile.
        keyed: whether the telemetry is keyed by locality, so that it needs no hop.
        stages: of `tocsin run`, all when empty.

    """

    name: str
    per_second: int
    goals: dict[str, float]
    keyed: bool = True
    stages: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """Before the names of its topics."""
        return f"latency-{self.name}-"

    @property
    def topic(self) -> str:
        """Where its telemetry goes."""
        return f"{self.prefix}telemetry"

    @property
    def echo_topic(self) -> str:
        """Where it sends messages to itself."""
        return f"{self.prefix}echo"

    @property
    def pages(self) -> bool:
        """Whether somebody is paged at the end."""
        return not self.stages

    def config(self, url: str) -> str:
        """Configuration of the workers."""
        return CONFIG.format(
            prefix=self.prefix,
            partitions=workload.PARTITIONS,
            topic=self.topic,
            keyed=str(self.keyed).lower(),
            url=url,
            port=METRICS_PORT,
        )


RUNS = (
    Run("fused", 1_000, {"webhook.p99": 100.0}),
    Run("two_hops", 1_000, {"webhook.p99": 100.0}, keyed=False),
    Run("detect_1k", 1_000, {"alert.p99": 15.0}, stages=("detect",)),
    Run("detect_50k", 50_000, {"alert.p50": 10.0, "alert.p99": 50.0}, stages=("detect",)),
)


def measure(setting: Setting, node: Node, command: str) -> Iterator[Row]:
    """Rows of the benchmark."""
    for run in RUNS:
        seconds = WARM_UP_SECONDS + (6.0 if setting.quick else 40.0)
        setting.say(f"latency: {run.name}: {run.per_second:,} messages/s for {seconds:g} s")
        node.create(run.topic, run.echo_topic, prefix=run.prefix)
        times = asyncio.run(follow(run, node.bootstrap, round(seconds * run.per_second)))
        yield from rows(run, times, command)


def rows(run: Run, times: Times, command: str) -> Iterator[Row]:
    """Rows of one run.

    Raises:
        RuntimeError: nothing came out at the end.

    """
    name, echoes = f"latency.{run.name}", times.echoes_ms()
    waits = {"alert": times.waits_ms(times.alerted)}
    if run.pages:
        waits["webhook"] = times.waits_ms(times.paged)
    for what, found in waits.items():
        if not found:
            raise RuntimeError(f"{run.name}: there was no {what}")
        for label, share in QUANTILES.items():
            most = run.goals.get(f"{what}.{label}")
            goal = None if most is None else Goal("value", "<=", most)
            value, echo = quantile(found, share), quantile(echoes, share)
            yield Row(f"{name}.{what}.{label}", value, "ms", command, ECHOED, echo, goal)
        sent = sum(at >= times.since for at in times.sent.values())
        exact = Goal("ratio", ">=", 1.0)
        yield Row(f"{name}.{what}.count", len(found), "breaches", command, "sent", sent, exact)
    if not run.pages:
        yield Row(f"{name}.longest_pause", times.longest_pause_ms, "ms", command)


async def follow(run: Run, bootstrap: str, count: int) -> Times:
    """Produce, and note what arrives when."""
    breaches = Breaches(run.topic, run.echo_topic, run.per_second, count)
    times = Times(expected=breaches.expected)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(receiving(times))
        alerts = reading(bootstrap, outer_name(ALERTS, run.prefix), times.alert)
        await stack.enter_async_context(alerts)
        await stack.enter_async_context(reading(bootstrap, run.echo_topic, times.echo))
        given = workers(bootstrap, run.config(url), RULES, run.stages)
        await stack.enter_async_context(given)
        times.since = time.perf_counter() + WARM_UP_SECONDS
        await produce(bootstrap, breaches, times)
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await (times.all_paged if run.pages else times.all_alerted).wait()
        if not run.pages:
            times.longest_pause_ms = await longest_pause_ms(METRICS_PORT)
    return times
