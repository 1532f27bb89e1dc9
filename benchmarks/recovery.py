"""Recovery: a worker is killed with -9 under load with 100,000 series live, and its work goes on.

Three ways, each on topics of its own. It is started again under its name, as the workers of `--processes` are. It is
started again without one; then the group waits until the session of the dead one times out, six seconds by default.
Or it is one of two with the same configuration, and the other takes over what it had. What
counts is the first alert of what was sent after the kill, from the start of the new worker; where another takes over,
the longest that anything that was sent around the kill waited.
"""

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from benchmarks import workload
from benchmarks.fleet import fleet
from benchmarks.latency import RULES
from benchmarks.node import Node
from benchmarks.pace import Breaches, produce
from benchmarks.pager import reading
from benchmarks.rescale import Heard
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from benchmarks.times import Times
from schemas.topics import ALERTS, outer_name

SERIES = 100_000
PER_SECOND = 10_000
SAMPLES_EACH = 3
"""Of every series before the first kill, a second apart, so that all are live."""
STEADY_SECONDS = 20.0
AFTER_SECONDS = 30.0
LAST_SECONDS = 90.0
GOAL_SECONDS = 10.0

CONFIG = """
kafka: {{partitions: {partitions}, prefix: {prefix}}}
sources: [{{topic: {topic}, keyed: true}}]
rules: [rules.yml]
"""
WAYS = ("restart", "nameless", "failover")


class Run(NamedTuple):
    """What was heard, when the worker was killed, when the next one began, and its CPU time until it read."""

    heard: Heard
    killed: float
    begun: float
    cpu_seconds: float


def measure(setting: Setting, node: Node, command: str) -> Iterator[Row]:
    """Rows of the benchmark."""
    for way in WAYS:
        setting.say(f"recovery: {way}: killed with {SERIES:,} series live")
        prefix = f"recovery-{way}-"
        topic, echo = f"{prefix}telemetry", f"{prefix}echo"
        node.create(topic, echo, prefix=prefix)
        start_ms = setting.now_ms - 600_000
        node.fill(topic, workload.messages(SAMPLES_EACH * SERIES, start_ms, series=SERIES))
        config = CONFIG.format(partitions=workload.PARTITIONS, prefix=prefix, topic=topic)
        alerts = outer_name(ALERTS, prefix)
        yield from rows(way, asyncio.run(_run(node, way, config, topic, echo, alerts)), command)


def rows(way: str, run: Run, command: str) -> Iterator[Row]:
    """Rows of one way."""
    heard, goal = run.heard, Goal("value", "<=", GOAL_SECONDS)
    wait = heard.longest_ms(run.killed - 10, run.killed + AFTER_SECONDS) / 1000
    if way == "failover":
        yield Row(f"recovery.{way}_longest_wait", wait, "s", command, goal=goal)
    else:
        times = heard.times
        first = min(
            (at for name, at in times.alerted.items() if times.sent.get(name, 0) > run.killed),
            default=math.inf,
        )
        yield Row(f"recovery.{way}_first", first - run.begun, "s", command, goal=goal)
        yield Row(f"recovery.{way}_cpu", run.cpu_seconds, "s of CPU until it reads", command)
        yield Row(f"recovery.{way}_longest_wait", wait, "s", command)
    none = Goal("value", "<=", 0.0)
    yield Row(f"recovery.{way}_lost", heard.lost, "alerts", command, goal=none)
    yield Row(f"recovery.{way}_twice", heard.twice, "alerts sent again", command)


async def _run(node: Node, way: str, config: str, topic: str, echo: str, alerts: str) -> Run:
    """Let a worker be killed, and its work be done by the next one."""
    seconds = STEADY_SECONDS + AFTER_SECONDS
    breaches = Breaches(topic, echo, PER_SECOND, int(PER_SECOND * seconds))
    heard = Heard(Times(expected=breaches.expected))
    cpu_seconds = 0.0
    async with (
        reading(node.bootstrap, alerts, heard.take),
        fleet(node.bootstrap, config, RULES, ("detect",)) as workers,
    ):
        name = "one" if way == "restart" else ""
        first = await workers.start(name)
        if way == "failover":
            await workers.start()
        sending = asyncio.create_task(produce(node.bootstrap, breaches, heard.times))
        await asyncio.sleep(STEADY_SECONDS)
        killed = time.perf_counter()
        await first.kill()
        begun = time.perf_counter()
        if way != "failover":
            used = (await workers.start(name)).look.cpu_times()
            cpu_seconds = used.user + used.system
        await sending
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await heard.times.all_alerted.wait()
    return Run(heard, killed, begun, cpu_seconds)
