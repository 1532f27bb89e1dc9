"""A run: one input, once undisturbed and once in the storm, by the same cluster; what both wrote is compared.

The undisturbed run reads the whole input at once, the disturbed one as it comes; the results hang on neither.
"""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.kafka.cluster import Node
from schemas import topics
from schemas.samples import decode_batch
from schemas.topics import PARTITIONS
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.chaos.compare import Difference, Written, compare
from tests.chaos.disk import Disk
from tests.chaos.faults import Fault
from tests.chaos.fleet import Fleet, WorkerEndedError
from tests.chaos.pager import Pager
from tests.chaos.proxy import Proxy
from tests.chaos.pulse import Pulse
from tests.chaos.sending import RunError, send
from tests.chaos.storm import Storm
from tests.chaos.story import (
    IDLE_PARTITION,
    QUIET_STEPS,
    SENTINEL,
    STEPS,
    TENANTS,
    Story,
    make_story,
)
from tests.kafka.reading import read_topic

HERE = Path(__file__).parent
MINUTE_MS = 60_000
WORKERS = 2
LOOK_SECONDS = 1.0
USUAL_PAUSE_SECONDS = 0.4
LONGEST_PAUSE_SECONDS = 3.0
SETTLING_MS = 5_000
"""Far below `time.idle_after`."""
QUIET_SHARE = QUIET_STEPS / STEPS


@dataclass(frozen=True)
class Plan:
    """How runs are made: `idle_after` is the product's, `patience_seconds` how long an end is waited for."""

    folder: Path
    idle_after_seconds: int = 20
    patience_seconds: float = 900.0
    stall_seconds: float = 60.0


@dataclass
class Result:
    """What a run came to.

    Attributes:
        meanwhile: records of incidents that came before the storm was over.
        standstills: the longest of each stage, in seconds, see `Pulse`.
        silences: times at which a partition that is written to was found idle.
        longest_gap_seconds: between two records of one partition of telemetry, as the brokers took them.

    """

    seed: str
    faults: Counter[str] = field(default_factory=Counter)
    wrongs: Counter[str] = field(default_factory=Counter)
    telemetry: int = 0
    calm: Written = field(default_factory=Written)
    storm: Written = field(default_factory=Written)
    meanwhile: int = 0
    silences: int = 0
    longest_gap_seconds: float = 0.0
    repeated_pages: int = 0
    differences: list[Difference] = field(default_factory=list)
    stalls: int = 0
    standstills: dict[str, float] = field(default_factory=dict)
    starts: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0

    def figures(self) -> dict[str, object]:
        """What a report says of it."""
        told: dict[str, object] = {
            name: value for name, value in vars(self).items() if name not in {"calm", "storm"}
        }
        return told | {
            "incidents": self.calm.incidents,
            "records": len(self.calm.records),
            "pages": len(self.calm.pages),
            "repeated": self.storm.repeated,
            "differences": [str(each) for each in self.differences],
        }


class Cluster:
    """Where a run takes place: brokers, the lines to them, and the small disk of the first broker."""

    def __init__(self, nodes: Sequence[Node], proxies: Sequence[Proxy], disk: Disk | None) -> None:
        self.nodes, self.proxies, self.disk = nodes, proxies, disk
        self.direct = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        self.through = ",".join(proxy.address for proxy in proxies)


async def run(
    cluster: Cluster, seed: str, faults: Sequence[Fault], plan: Plan, told: Callable[[str], None]
) -> Result:
    """Both runs of one seed, and the comparison; `told` hears of each fault that is over, by its kind.

    Raises:
        RunError: one did not come to its end.

    """
    began = time.monotonic()
    start_ms = time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS
    story = make_story(seed, start_ms)
    result = Result(seed, wrongs=story.wrongs, telemetry=len(story.records))
    told("undisturbed")
    prefix = f"{time.time_ns()}-"
    calm = asyncio.ensure_future(_calm(cluster, f"calm-{prefix}", story, plan))
    storm = _disturbed(cluster, f"storm-{prefix}", story, faults, plan, calm, told, result)
    try:
        result.calm, result.storm = await _together(calm, storm)
    except WorkerEndedError as error:
        raise RunError(f"{prefix}: {error}") from error
    result.differences = compare(result.calm, result.storm)
    result.seconds = time.monotonic() - began
    return result


async def _together(*work: Awaitable[Any]) -> list[Any]:
    """All of it; when one fails the others are cancelled, and its error is raised as it is."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _calm(cluster: Cluster, prefix: str, story: Story, plan: Plan) -> Written:
    async with Pager() as pager:
        with _installed(plan, prefix, pager, len(cluster.nodes)) as config:
            await _make_topics(cluster, prefix)
            await send(cluster.direct, prefix + topics.TELEMETRY, story.records)
            async with Fleet(config, cluster.direct, 1) as fleet:
                await _until_told(cluster, prefix, pager, plan, fleet, fleet.check)
        return await _written(cluster, prefix, pager)


async def _disturbed(
    cluster: Cluster,
    prefix: str,
    story: Story,
    faults: Sequence[Fault],
    plan: Plan,
    calm: asyncio.Future[Written],
    told: Callable[[str], None],
    result: Result,
) -> Written:
    """The storm begins when the other run has ended, and when the workers here have begun to tell the time."""
    quiet = sum(sent.at_share < QUIET_SHARE for sent in story.records)
    async with Pager() as pager, AsyncExitStack() as stack:
        config = stack.enter_context(_installed(plan, prefix, pager, len(cluster.nodes)))
        await _make_topics(cluster, prefix)
        fleet = await stack.enter_async_context(Fleet(config, cluster.through, WORKERS))
        workers = list(fleet.workers)
        topic = prefix + topics.TELEMETRY
        await send(cluster.direct, topic, story.records[:quiet])
        await _until_ticking(cluster, prefix, plan, fleet)
        await calm
        pulse = Pulse(cluster.direct, prefix, plan.stall_seconds)
        await stack.enter_async_context(pulse)
        storm = Storm(
            cluster.nodes,
            cluster.proxies,
            fleet,
            pager,
            cluster.disk,
            pulse,
            prefix + topics.STATE,
        )
        left = 1 - QUIET_SHARE
        began_ms = time.time_ns() // 1_000_000 + SETTLING_MS

        def pause(share: float) -> float:
            """As fast as the storm goes on, so that neither comes after the other is over."""
            ahead = (share - QUIET_SHARE) / left - storm.begun / max(len(faults), 1)
            return min(max(USUAL_PAUSE_SECONDS * (1 + 20 * ahead), 0.05), LONGEST_PAUSE_SECONDS)

        async def sending() -> tuple[float, int]:
            gap = await send(cluster.direct, topic, story.records[quiet:], pause)
            return gap, time.time_ns() // 1_000_000

        (result.longest_gap_seconds, ended_ms), _ = await _together(
            sending(), storm.run(faults, lambda fault: told(fault.kind.value))
        )
        result.meanwhile = len((await _written(cluster, prefix, pager)).records)
        told("coming to rest")
        await _until_told(cluster, prefix, pager, plan, fleet)
        await fleet.leave()
        result.faults = storm.done
        result.repeated_pages = pager.repeats
        result.starts = sum(worker.starts for worker in workers)
        result.codes = sum((worker.codes for worker in workers), Counter())
        result.stalls = pulse.stalls
        result.standstills = pulse.longest
        result.silences = await _silences(cluster, prefix, began_ms, ended_ms)
        return await _written(cluster, prefix, pager)


async def _silences(cluster: Cluster, prefix: str, since_ms: int, until_ms: int) -> int:
    """How often a partition that is written to was found idle between two times of the wall clock, ms."""
    records = await read_topic(cluster.direct, prefix + topics.SAMPLES)
    batches = [decode_batch(r.value) for r in records]
    idle = [b for b in batches if b.idle and b.partition != IDLE_PARTITION]
    return len({(b.partition, b.record_time) for b in idle if since_ms < b.record_time < until_ms})


async def _until_ticking(cluster: Cluster, prefix: str, plan: Plan, fleet: Fleet) -> None:
    """Wait until the silent partition was found idle, so that alerts and ticks flow.

    Raises:
        RunError: they do not.

    """
    topic = prefix + topics.ALERTS
    try:
        async with asyncio.timeout(plan.patience_seconds):
            while not await read_topic(cluster.direct, topic):
                fleet.check()
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError as error:
        raise RunError(f"{prefix}: no tick came within {plan.patience_seconds:g} s") from error


@contextmanager
def _installed(plan: Plan, prefix: str, pager: Pager, replication: int) -> Iterator[Path]:
    """A folder with configuration and rules."""
    folder = plan.folder / prefix.strip("-")
    folder.mkdir()
    text = (HERE / "tocsin.yaml").read_text()
    config = folder / "tocsin.yaml"
    config.write_text(
        text.format(
            prefix=prefix,
            replication=replication,
            idle_after=f"{plan.idle_after_seconds}s",
            url=pager.url,
        )
    )
    shutil.copy(HERE / "rules.yml", folder)
    yield config


async def _make_topics(cluster: Cluster, prefix: str) -> None:
    wanted = topics.all_topics((f"{prefix}{topics.TELEMETRY}",), PARTITIONS, prefix)
    await create_topics(Broker(cluster.direct), wanted, replication=len(cluster.nodes))


async def _until_told(
    cluster: Cluster,
    prefix: str,
    pager: Pager,
    plan: Plan,
    fleet: Fleet,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Wait until the last incident of each tenant is there, and the receiver has every announcement."""
    loop = asyncio.get_running_loop()
    end = loop.time() + plan.patience_seconds
    while True:
        check()
        found = await _written(cluster, prefix, pager)
        sentinels = found.open_of(SENTINEL)
        if sentinels >= len(TENANTS) and len(pager.pages) >= found.announced:
            return
        if loop.time() > end:
            logs = "\n".join(str(worker.log) for worker in fleet.workers)
            raise RunError(
                f"{prefix}: {sentinels} of {len(TENANTS)} last incidents, {len(pager.pages)} of "
                f"{found.announced} pages after {plan.patience_seconds:g} s; logs:\n{logs}"
            )
        await asyncio.sleep(LOOK_SECONDS)


async def _written(cluster: Cluster, prefix: str, pager: Pager) -> Written:
    return Written.of(await read_topic(cluster.direct, prefix + topics.INCIDENTS), pager.pages)


def seeds(seed: int, faults: int, per_run: int) -> list[tuple[str, int]]:
    """Seeds of the runs that so many faults take, and the number of faults of each."""
    runs = max(1, -(-faults // per_run))
    share, more = divmod(faults, runs)
    return [(f"{seed}/{at + 1}", share + (at < more)) for at in range(runs)]
