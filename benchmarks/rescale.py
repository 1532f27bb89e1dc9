"""Rescale: workers are added and taken away while telemetry flows; how long did anything wait.

One `tocsin run --stage detect`, then four, then two, on a topic of four partitions. Twenty times a second a message
breaches a threshold on a service of its own. The pause of a change is the longest that a breach that was sent around
it waited for its alert. Workers that come take the machine's processors for their start, which is in it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from benchmarks import workload
from benchmarks.fleet import Fleet, fleet
from benchmarks.latency import RULES
from benchmarks.node import Node
from benchmarks.pace import Breaches, produce
from benchmarks.pager import reading
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from benchmarks.times import Times, quantile
from schemas.topics import ALERTS, outer_name

PREFIX = "rescale-"
TELEMETRY = f"{PREFIX}telemetry"
ECHO = f"{PREFIX}echo"
PER_SECOND = 10_000
STEADY_SECONDS = 15.0
LAST_SECONDS = 60.0
PAUSE_MS = 3_000.0

CONFIG = """
kafka: {{partitions: {partitions}, prefix: {prefix}}}
sources: [{{topic: {topic}, keyed: true}}]
rules: [rules.yml]
"""


@dataclass
class Heard:
    """Alerts that arrived: how often each identity, and when each service first."""

    times: Times
    often: Counter[str] = field(default_factory=Counter)

    def take(self, value: bytes, now: float) -> None:
        """A record of tocsin.alerts arrived."""
        told = msgspec.json.decode(value)
        if told.get("kind") == "alert":
            self.often[told["id"]] += 1
        self.times.alert(value, now)

    @property
    def twice(self) -> int:
        """Records that had come before."""
        return self.often.total() - len(self.often)

    def longest_ms(self, begin: float, end: float) -> float:
        """The longest wait of what was sent between two times."""
        waits = [
            (self.times.alerted[service] - at) * 1000
            for service, at in self.times.sent.items()
            if begin <= at <= end and service in self.times.alerted
        ]
        return max(waits, default=0.0)

    @property
    def lost(self) -> int:
        """What was sent and never arrived."""
        return len(self.times.sent.keys() - self.times.alerted.keys())


def measure(setting: Setting, node: Node, command: str) -> Iterator[Row]:
    """Rows of the benchmark."""
    node.create(TELEMETRY, ECHO, prefix=PREFIX)
    heard, changes = asyncio.run(_run(setting, node))
    usual = heard.times.waits_ms(heard.times.alerted)
    yield Row("rescale.usual", quantile(usual, 0.5), "ms", command)
    for name, (begin, end) in changes.items():
        pause = heard.longest_ms(begin, end)
        setting.say(f"rescale: {name}: {end - begin:.1f} s, pause {pause:.0f} ms")
        goal = Goal("value", "<=", PAUSE_MS)
        yield Row(f"rescale.{name}_pause", pause, "ms", command, goal=goal)
    none = Goal("value", "<=", 0.0)
    yield Row("rescale.lost", heard.lost, "alerts", command, goal=none)
    yield Row("rescale.twice", heard.twice, "alerts sent again", command, goal=none)
    yield Row("rescale.alerts", len(heard.often), "alerts, once each", command)


async def _run(setting: Setting, node: Node) -> tuple[Heard, dict[str, tuple[float, float]]]:
    """What was heard, and from when to when each change took."""
    config = CONFIG.format(partitions=workload.PARTITIONS, prefix=PREFIX, topic=TELEMETRY)
    per_second = PER_SECOND // 2 if setting.quick else PER_SECOND
    breaches = Breaches(TELEMETRY, ECHO, per_second, int(per_second * 6 * STEADY_SECONDS))
    heard = Heard(Times(expected=breaches.expected))
    changes: dict[str, tuple[float, float]] = {}
    async with (
        reading(node.bootstrap, outer_name(ALERTS, PREFIX), heard.take),
        fleet(node.bootstrap, config, RULES, ("detect",)) as workers,
    ):
        await workers.start()
        sending = asyncio.create_task(produce(node.bootstrap, breaches, heard.times))
        await asyncio.sleep(STEADY_SECONDS)
        changes["to_four"] = await _timed(workers, 4)
        changes["to_two"] = await _timed(workers, 2)
        await sending
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await heard.times.all_alerted.wait()
    return heard, changes


async def _timed(workers: Fleet, wanted: int) -> tuple[float, float]:
    """Have so many workers, and let them run on for a while; begin and end of that."""
    begin = time.perf_counter()
    running = [worker for worker in workers.workers if worker.wanted]
    more = [workers.start() for _ in range(wanted - len(running))]
    await asyncio.gather(*more, *(worker.stop() for worker in running[wanted:]))
    await asyncio.sleep(STEADY_SECONDS)
    workers.check()
    return begin, time.perf_counter()
