"""Backpressure: what piles up in a worker while a stage is held for a minute, or while its output topic takes no write.

Telemetry keeps coming (detect held, two hops) or is there in plenty (output refused, fused). Memory is that of the
worker's process, once a second; its slope is a straight line through the minute after its first quarter. Afterwards
every alert of an undisturbed run must be there, and none that it has not.
"""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
import numpy as np
import psutil
from confluent_kafka import Consumer, TopicPartition

from benchmarks import workload
from benchmarks.held import Seen
from benchmarks.node import QUIET, Node
from benchmarks.replica import running_replica
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from schemas import topics
from streams.transport.admin import create_topics
from streams.transport.broker import Broker

TELEMETRY = "benchmark-backpressure-"
FEED_PER_SECOND = 50_000
PAST_MS = 7_200_000
WARM_UP_SECONDS = 30.0
"""Before a stage is held: windows and the interpreter's own pools take as long to reach their size."""
SETTLED = 0.25
"""This share of the time is for buffers to fill."""
LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 300.0
SLOPE_MB = 5.0
"""A minute: what the interpreter's own housekeeping may add; without bounds it would be hundreds."""
MB = 1e6


class Memory(NamedTuple):
    """A process's memory over a stretch of time, in MB: where it began, where it ended, and its slope per minute."""

    begin: float
    end: float
    slope: float

    @property
    def growth(self) -> float:
        """What was added, in MB."""
        return self.end - self.begin


class Worker:
    """A worker that can be held, in a process of its own."""

    def __init__(self, *options: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.held", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.process = psutil.Process(self._process.pid)
        self._read()

    def tell(self, line: str) -> dict[str, Seen]:
        """Give a command; what each stage has done by then."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._read()

    def watch(self, seconds: float, say: Callable[[str], None]) -> Memory:
        """Look at its memory once a second."""
        began = time.monotonic()
        seen: list[tuple[float, float]] = []
        while (at := time.monotonic() - began) < seconds:
            seen.append((at, self.process.memory_info().rss / MB))
            time.sleep(LOOK_SECONDS)
        say(f"MB: {' '.join(f'{mb:.0f}' for _, mb in seen)}")
        times, mbs = np.array([pair for pair in seen if pair[0] >= seconds * SETTLED]).T
        slope = float(np.polyfit(times, mbs, 1)[0]) * 60.0
        return Memory(float(mbs[0]), float(mbs[-1]), slope)

    def wait(self, true: Callable[[dict[str, Seen]], bool]) -> dict[str, Seen]:
        """Wait for something that it does.

        Raises:
            RuntimeError: it did not do it in time.

        """
        end = time.monotonic() + PATIENCE_SECONDS
        while not true(seen := self.tell("look")):
            if time.monotonic() > end:
                raise RuntimeError(f"not there after {PATIENCE_SECONDS:g} s: {seen}")
            time.sleep(LOOK_SECONDS / 4)
        return seen

    def close(self) -> None:
        """Let it stop as it should."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def kill(self) -> None:
        """Leave nothing behind."""
        with self._process:
            self._process.kill()

    def _read(self) -> dict[str, Seen]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker ended with {self._process.wait()}")
        return msgspec.json.decode(line, type=dict[str, Seen])


@contextmanager
def running_worker(
    node: Node, topic: str, prefix: str, *options: str, partitions: int = workload.PARTITIONS
) -> Iterator[Worker]:
    """Run a worker on a topic; it ends with the block."""
    named = ["--broker", node.bootstrap, "--topic", topic, "--prefix", prefix]
    worker = Worker(*named, "--partitions", str(partitions), *options)
    try:
        yield worker
        worker.close()
    finally:
        worker.kill()


def measure(setting: Setting, node: Node, command: str) -> Iterator[Row]:
    """Rows of the benchmark."""
    seconds = 15.0 if setting.quick else 60.0
    yield from _held(setting, node, command, seconds)
    yield from _refused(setting, node, command, seconds)


def _held(setting: Setting, node: Node, command: str, seconds: float) -> Iterator[Row]:
    """Detect is held while ingest goes on at full input."""
    topic = f"{TELEMETRY}held"
    node.create(topic, prefix="held-")
    count = int(FEED_PER_SECOND * (seconds + WARM_UP_SECONDS + 5))
    messages = workload.messages(count, setting.now_ms - PAST_MS)
    setting.say(f"backpressure: detect held for {seconds:g} s at {FEED_PER_SECOND:,} messages/s")
    feeding = threading.Thread(target=node.fill, args=(topic, _paced(messages)), daemon=True)
    with running_worker(node, topic, "held-") as worker:
        feeding.start()
        worker.wait(lambda seen: seen["detect"].records > 0)
        time.sleep(WARM_UP_SECONDS)
        before = worker.tell("hold detect")
        memory = worker.watch(seconds, setting.say)
        after = worker.tell("release detect")
        feeding.join()
        worker.wait(lambda seen: seen["ingest"].records == count and is_through(seen))
    moved = [after[stage].records - before[stage].records for stage in ("detect", "ingest")]
    setting.say(f"backpressure: records applied meanwhile: detect {moved[0]}, ingest {moved[1]:,}")
    undisturbed = _undisturbed(node, topic, "held-undisturbed-", count)
    yield from _rows("held", command, memory, _alerts(node, "held-"), undisturbed)


def _refused(setting: Setting, node: Node, command: str, seconds: float) -> Iterator[Row]:
    """The topic of alerts takes no write, while there is input in plenty and nearly all of it is an alert."""
    topic, prefix = f"{TELEMETRY}refused", "refused-"
    count = 150_000 if setting.quick else 600_000
    own = topics.all_topics((), workload.PARTITIONS, prefix)
    alerts = topics.outer_name(topics.ALERTS, prefix)
    given = [topics.Topic(topic, "any", "telemetry", workload.PARTITIONS), *own]
    create(node.bootstrap, [t for t in given if t.name != alerts])
    node.fill(topic, workload.messages(count, setting.now_ms - PAST_MS))
    setting.say(f"backpressure: writes of alerts refused for {seconds:g} s")
    with running_replica(node.bootstrap) as replica:
        replica.create(alerts, workload.PARTITIONS)
        replica.wait_for_copies(alerts, 2)
        with running_worker(node, topic, prefix, "--fused", "--rules=flapping") as worker:
            worker.wait(lambda seen: seen["fused"].records > 0)
            replica.stop()
            memory = worker.watch(seconds, setting.say)
            held = worker.tell("look")["fused"]
            replica.start()
            worker.wait(lambda seen: seen["fused"].records == count and is_through(seen))
        setting.say(
            f"backpressure: {held.waiting:,} outputs waited, {held.lag:,} records lay before"
        )
        found = _alerts(node, prefix)
    undisturbed = _undisturbed(
        node, topic, "refused-undisturbed-", count, "--fused", "--rules=flapping"
    )
    yield from _rows("refused", command, memory, found, undisturbed)


def _rows(
    name: str, command: str, memory: Memory, found: list[str], wanted: list[str]
) -> Iterator[Row]:
    unlike = len(set(found) ^ set(wanted))
    goal = Goal("value", "<=", SLOPE_MB)
    yield Row(f"backpressure.{name}_slope", memory.slope, "MB/min", command, goal=goal)
    yield Row(
        f"backpressure.{name}_memory", memory.end, "MB", command, "a quarter in", memory.begin
    )
    none = Goal("value", "<=", 0.0)
    yield Row(f"backpressure.{name}_unlike", unlike, "alerts lost or invented", command, goal=none)
    yield Row(f"backpressure.{name}_alerts", len(set(found)), "alerts, once each", command)
    yield Row(
        f"backpressure.{name}_again", len(found) - len(set(found)), "alerts sent again", command
    )


def _undisturbed(node: Node, topic: str, prefix: str, count: int, *options: str) -> list[str]:
    node.create(prefix=prefix)
    first = "fused" if "--fused" in options else "ingest"
    with running_worker(node, topic, prefix, *options) as worker:
        worker.wait(lambda seen: seen[first].records == count and is_through(seen))
    return _alerts(node, prefix)


def is_through(seen: dict[str, Seen]) -> bool:
    """Whether nothing waits before or behind any stage."""
    return not any(stage.lag or stage.waiting for stage in seen.values())


def _paced(messages: Iterable[workload.Message]) -> Iterator[workload.Message]:
    began = time.monotonic()
    for number, message in enumerate(messages):
        if number % 1000 == 0:
            time.sleep(max(began + number / FEED_PER_SECOND - time.monotonic(), 0.0))
        yield message


def create(bootstrap: str, wanted: list[topics.Topic]) -> None:
    """Make these topics."""
    asyncio.run(create_topics(Broker(bootstrap), wanted))


def _alerts(node: Node, prefix: str) -> list[str]:
    """Identities of all alerts on the topic of this run, those that came twice twice."""
    return alert_ids(node.bootstrap, topics.outer_name(topics.ALERTS, prefix))


def alert_ids(bootstrap: str, topic: str, partitions: int = workload.PARTITIONS) -> list[str]:
    """Identities of the alerts on a topic."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "unused"} | QUIET)
    found: list[str] = []
    for number in range(partitions):
        place = TopicPartition(topic, number)
        at, end = reader.get_watermark_offsets(place, timeout=30)
        reader.assign([TopicPartition(topic, number, at)])
        while at < end:
            for record in reader.consume(10_000, 5.0):
                at = record.offset() + 1
                told = msgspec.json.decode(record.value())
                if told["kind"] == "alert":
                    found.append(told["id"])
    reader.close()
    return found
