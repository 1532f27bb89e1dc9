"""Soak: all stages for half an hour at half of full speed, with one per cent new series a minute.

What the workers can do is measured first, on a backlog, with the broker and nobody else beside them; half of that is
then sent, by a process whose part of the machine is told. A tenth of the time, five minutes at least, is for windows,
pools and the first silent series to go; after it the slope of the memory counts, and what waits in queues, files and
topics is compared. `--minutes` and `--per-second` choose.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
from aiohttp import ClientSession

from benchmarks import workload
from benchmarks.fleet import Worker, fleet
from benchmarks.node import Node
from benchmarks.pager import receiving
from benchmarks.row import Goal, Row
from benchmarks.scaling import listener
from benchmarks.setting import Setting
from benchmarks.stream import fill, sending
from benchmarks.times import Times
from schemas.topics import STATE, Topic, all_topics, outer_name
from streams.transport.admin import create_topics
from streams.transport.broker import Broker

PREFIX = "soak-"
TELEMETRY = "benchmark-soak-telemetry"
METRICS_PORT = 9111
LOOK_SECONDS = 5.0
PATIENCE_SECONDS = 300.0
BACKLOG = 3_000_000
EDGE = 0.1
"""This part of the backlog at each end is not measured: the start, and an idle end."""
LEAST_LOOKS = 5
WARM_UP_SHARE, WARM_UP_SECONDS = 0.1, 420.0
MB = 1e6
FEW = 100.0
"""A ratio to less than this would be one to nothing."""
SMALL_SEGMENTS = {"segment.bytes": "67108864", "retention.bytes": "134217728"}
"""Of the telemetry, which is not what is measured."""

CONFIG = """
kafka: {{partitions: {partitions}, prefix: {prefix}}}
sources: [{{topic: {topic}}}]
rules: [rules.yml]
limits: {{series_idle: 5m}}
correlate: {{reopen_within: 2m, retention: 5m}}
notify: {{receivers: [{{type: webhook, name: pager, url: "{url}"}}]}}
record: {{path: tocsin.db, retention: 5m}}
metrics: {{port: {port}}}
"""


class Look(NamedTuple):
    """One look: seconds since the start, MB of memory, records that wait, MB on disk, open files, series known.

    `worker` and `sender` are the seconds of CPU time that they have had.
    """

    at: float
    rss: float
    waiting: float
    state: float
    history: float
    files: int
    series: float
    worker: float = 0.0
    sender: float = 0.0


def measure(setting: Setting, node: Node, command: str) -> Iterator[Row]:
    """Rows of the benchmark."""
    own = all_topics((), workload.PARTITIONS, PREFIX)
    telemetry = Topic(TELEMETRY, "any", "telemetry", workload.PARTITIONS, SMALL_SEGMENTS)
    asyncio.run(create_topics(Broker(node.bootstrap), [telemetry, *own]))
    fill(node.bootstrap, TELEMETRY, BACKLOG, setting.now_ms)
    full, per_second, looks = asyncio.run(_run(setting, node))
    yield Row("soak.full_speed", full, "messages/s", command)
    yield Row("soak.speed", per_second, "messages/s", command, "full speed", full)
    yield from rows(looks, command)
    for name in ("worker", "sender"):
        used = getattr(looks[-1], name) - getattr(looks[0], name)
        yield Row(f"soak.{name}_uses", used / (looks[-1].at - looks[0].at), "cores", command)


def rows(looks: Sequence[Look], command: str) -> Iterator[Row]:
    """What has grown since the warm-up."""
    seconds = looks[-1].at
    warm = [look for look in looks if look.at >= warm_up(seconds)]
    times, rss = np.array([(look.at / 60, look.rss) for look in warm]).T
    slope = float(np.polyfit(times, rss, 1)[0])
    half = len(warm) // 2
    yield Row("soak.minutes", seconds / 60, "minutes", command)
    # a tenth of a per cent a minute: what an allocator's fragments may do, where a leak of each new series shows
    goal = Goal("value", "<=", 0.001 * float(np.median(rss)))
    yield Row("soak.memory_slope", slope, "MB/min", command, goal=goal)
    for name, unit, typical, least, limit in (
        ("rss", "MB", np.median, 1.0, 1.05),
        # a queue is worked off now and then, whatever else the machine does, unless it grows
        ("waiting", "records", np.min, FEW, 2.0),
        # less than the segments of a compacted topic hold before the first of them is compacted
        ("state", "MB", np.median, FEW, 1.5),
        ("files", "open files", np.median, 1.0, 1.1),
        ("series", "series", np.median, 1.0, 1.05),
        # what was forgotten leaves its place in the file to others
        ("history", "MB", np.max, 1.0, 1.1),
    ):
        before, after = (
            float(typical([getattr(look, name) for look in part]))
            for part in (warm[:half], warm[half:])
        )
        told = "first half after the warm-up"
        yield Row(
            f"soak.{name}",
            after,
            unit,
            command,
            told,
            max(before, least),
            Goal("ratio", "<=", limit),
        )


def warm_up(seconds: float) -> float:
    """How much of the time does not count."""
    return min(max(WARM_UP_SHARE * seconds, WARM_UP_SECONDS), seconds / 2)


async def _run(setting: Setting, node: Node) -> tuple[float, int, list[Look]]:
    """Full speed, speed, and what was seen at that."""
    seconds = setting.minutes * 60
    async with receiving(Times(expected=0)) as url:
        config = CONFIG.format(
            partitions=workload.PARTITIONS,
            prefix=PREFIX,
            topic=TELEMETRY,
            url=url,
            port=METRICS_PORT,
        )
        async with fleet(node.bootstrap, config, workload.RULES) as made:
            worker = await made.start()
            full = await _full_speed(worker)
            per_second = setting.per_second or int(full / 2)
            setting.say(f"soak: {full:,.0f}/s at most; {setting.minutes:g} min at {per_second:,}/s")
            looks: list[Look] = []
            with sending(node.bootstrap, TELEMETRY, per_second, seconds) as sender:
                began = time.monotonic()
                while (at := time.monotonic() - began) < seconds:
                    worker.check()
                    looks.append(await _look(worker, sender.pid, node, made.home, at))
                    if len(looks) % 12 == 1:
                        setting.say(f"soak: {looks[-1]}")
                    await asyncio.sleep(LOOK_SECONDS)
    return full, per_second, looks


async def _full_speed(worker: Worker) -> float:
    """Records a second of the backlog."""
    looks: list[tuple[float, float]] = []
    end = time.monotonic() + PATIENCE_SECONDS
    while not looks or looks[-1][1] < BACKLOG:
        worker.check()
        done = (await _metrics()).get('tocsin_records_total{stage="ingest"}', 0.0)
        looks.append((time.monotonic(), done))
        if looks[-1][0] > end:
            raise RuntimeError(f"not through the backlog after {PATIENCE_SECONDS:g} s: {done:g}")
        await asyncio.sleep(0.1)
    return rate(looks, BACKLOG)


def rate(looks: Sequence[tuple[float, float]], count: float) -> float:
    """Records a second between the edges of so many, by looks: seconds of a clock, and how many there were by then.

    Raises:
        RuntimeError: there are too few looks in between to say.

    """
    inner = [(at, done) for at, done in looks if EDGE * count <= done <= (1 - EDGE) * count]
    if len(inner) < LEAST_LOOKS:
        raise RuntimeError(f"{len(inner)} looks at a backlog of {count:,.0f}: it is too small")
    (first, begun), (last, done) = inner[0], inner[-1]
    return (done - begun) / (last - first)


async def _look(worker: Worker, sender: int, node: Node, home: Path, at: float) -> Look:
    found = await _metrics()
    waiting = sum(v for name, v in found.items() if name.startswith("tocsin_lag_records"))
    series = sum(v for name, v in found.items() if name.startswith("tocsin_series"))
    process = worker.look
    state = sum(_size(folder) for folder in _logs(node).glob(f"{outer_name(STATE, PREFIX)}-*"))
    history = _size(home)
    return Look(
        at,
        process.memory_info().rss / MB,
        waiting,
        state,
        history,
        process.num_fds(),
        series,
        _used(process),
        _used(psutil.Process(sender)),
    )


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


async def _metrics() -> dict[str, float]:
    url = f"http://127.0.0.1:{METRICS_PORT}/metrics"
    async with ClientSession() as session, session.get(url) as answer:
        lines = (await answer.text()).splitlines()
    told = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name: float(value) for name, _, value in told}


def _logs(node: Node) -> Path:
    """Where the broker keeps its topics: beside its properties, the last word of its command."""
    return Path(psutil.Process(listener(node.bootstrap)).cmdline()[-1]).parent / "data"


def _size(folder: Path) -> float:
    """MB that a partition takes of the disk; files come and go while one looks."""
    total = 0
    for file in folder.glob("*"):
        try:
            total += file.stat().st_blocks * 512
        except FileNotFoundError:
            continue
    return total / MB
