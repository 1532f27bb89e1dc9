"""Scaling: the same fused job by one worker process and by two, messages per second of the wall's clock.

The processes are members of one consumer group and take their shares of four partitions that are full before they
begin. The stretch begins when each has come through a tenth of its share, and ends when the first has come through nine
tenths, so that start, rebalances and an idle end are not in it. What the broker takes of the machine stands beside it:
where there are no more cores than processes, the second process cannot have that. If a message takes w seconds of a
worker and b of the broker while both work, then two on two cores do no more than 2 / (w + b) a second: that is `most`.
Messages for each second of the workers' CPU time tell what processes cost one another by themselves. The second job
reads the same messages as their producer compressed them, with lz4, so that b is small; the third has a rule with the
detector `auto`, so w is large.
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import numpy as np
import psutil

from benchmarks import workload
from benchmarks.backpressure import running_worker
from benchmarks.node import Node
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting

TELEMETRY = "benchmark-scaling-telemetry"
PACKED = "benchmark-scaling-packed"
PAST_MS = 7_200_000
LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 120.0
EDGE = 0.1
"""This part of its share at each end of a process's run is not in the measured stretch."""

Counted = list[tuple[float, float]]
"""Seconds of the clock, and what had been counted by then."""


class Stretch(NamedTuple):
    """What all processes did together while all of them worked; `workers` and `broker` are cores in use."""

    per_second: float
    workers: float
    broker: float

    def most(self, cores: float) -> float:
        """Messages a second that so many cores allow at what one takes here of worker and broker."""
        return cores * self.per_second / (self.workers + self.broker)


def measure(setting: Setting, node: Node, command: str) -> Iterator[Row]:
    """Rows of the benchmark."""
    count = 1_200_000 if setting.quick else 6_000_000
    node.create(TELEMETRY, PACKED)
    for topic, compression in ((TELEMETRY, "none"), (PACKED, "lz4")):
        setting.say(f"scaling: writing {count:,} messages, compression {compression}")
        node.fill(topic, workload.messages(count, setting.now_ms - PAST_MS), compression)
    jobs = (
        ("scaling", TELEMETRY, "plain", count),
        ("scaling.lz4", PACKED, "plain", count),
        ("scaling.dear", TELEMETRY, "dear", count // 6),
    )
    for job, topic, rules, messages in jobs:
        found = {}
        for processes in (1, 2):
            prefix = f"{job}-{processes}-"
            node.create(prefix=prefix)
            found[processes] = _run(node, topic, prefix, messages, processes, rules)
            setting.say(f"{job}: {processes} process(es): {found[processes]}")
        yield from rows(job, found[1], found[2], command)


def rows(job: str, one: Stretch, two: Stretch, command: str) -> Iterator[Row]:
    """What one process and two have done, and what the cores allow."""
    unit, against = "messages/s", ("one process", one.per_second)
    yield Row(f"{job}.one", one.per_second, unit, command)
    yield Row(f"{job}.two", two.per_second, unit, command, *against)
    most = min(2 * one.per_second, two.most(os.cpu_count() or 1))
    yield Row(f"{job}.most", most, unit, command, *against)
    adds, goal = two.per_second - one.per_second, Goal("ratio", ">=", 0.8)
    yield Row(f"{job}.second_adds", adds, unit, command, *against, goal)
    yield Row(
        f"{job}.two_per_core",
        two.per_second / two.workers,
        "messages/core-s",
        command,
        "one process",
        one.per_second / one.workers,
        Goal("ratio", ">=", 0.9),
    )
    for name, stretch in (("one", one), ("two", two)):
        yield Row(f"{job}.{name}_workers_use", stretch.workers, "cores", command)
        yield Row(f"{job}.{name}_broker_uses", stretch.broker, "cores", command)


def _run(node: Node, topic: str, prefix: str, count: int, processes: int, rules: str) -> Stretch:
    """One group of so many processes reads the topic to its end."""
    broker = psutil.Process(listener(node.bootstrap))
    share = count / processes
    with ExitStack() as stack:
        workers = []
        for _ in range(processes):
            options = ("--fused", "--rules", rules)
            workers.append(stack.enter_context(running_worker(node, topic, prefix, *options)))
            workers[-1].tell("hold fused")
        each = workload.PARTITIONS // processes
        for worker in workers:
            worker.wait(lambda seen: seen["fused"].partitions == each)
        begun = [worker.tell("release fused")["fused"].records for worker in workers]
        records: list[Counted] = [[] for _ in workers]
        used: list[Counted] = [[] for _ in (*workers, broker)]
        end = time.monotonic() + PATIENCE_SECONDS
        while not any(run and run[-1][1] >= share * (1 - EDGE) for run in records):
            if time.monotonic() > end:
                raise RuntimeError(f"not through after {PATIENCE_SECONDS:g} s: {records}")
            for number, worker in enumerate(workers):
                done = worker.tell("look")["fused"].records - begun[number]
                records[number].append((time.monotonic(), done))
            for number, process in enumerate([*(worker.process for worker in workers), broker]):
                times = process.cpu_times()
                used[number].append((time.monotonic(), times.user + times.system))
            time.sleep(LOOK_SECONDS)
    return stretch(records, used[:-1], used[-1], share)


def stretch(
    records: list[Counted], workers: list[Counted], broker: Counted, share: float
) -> Stretch:
    """The stretch in which all processes worked, by the looks at each of them."""
    begin = max(next(at for at, done in run if done >= share * EDGE) for run in records)
    end = max(run[-1][0] for run in records)

    def per_second(counted: Counted) -> float:
        times, counts = zip(*counted, strict=True)
        first, last = np.interp([begin, end], times, counts)
        return float(last - first) / (end - begin)

    return Stretch(sum(map(per_second, records)), sum(map(per_second, workers)), per_second(broker))


def listener(bootstrap: str) -> int:
    """The process that listens on the broker's port."""
    port = int(bootstrap.rpartition(":")[2])
    (pid,) = {
        c.pid
        for c in psutil.net_connections("tcp")
        if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr[1] == port
    }
    assert pid is not None
    return pid
