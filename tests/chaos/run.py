"""A run: one input, once undisturbed and once in the storm, by the same cluster; what both wrote is compared.

The undisturbed run reads the whole input at once, the disturbed one as it comes; the results hang on neither.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from schemas import topics
from tests.chaos.compare import Difference, Written, compare
from tests.chaos.faults import Fault
from tests.chaos.fleet import Fleet, WorkerEndedError
from tests.chaos.installation import PLACES, Installation, Plan
from tests.chaos.pager import Pager
from tests.chaos.pulse import Pulse
from tests.chaos.reference import unlike_replay
from tests.chaos.scene import Cluster
from tests.chaos.sending import RunError, Sending
from tests.chaos.silence import heard, silences
from tests.chaos.storm import Storm
from tests.chaos.story import QUIET_STEPS, STEPS, Story, make_story

MINUTE_MS = 60_000
WORKERS = 2
USUAL_PAUSE_SECONDS = 0.4
LONGEST_PAUSE_SECONDS = 3.0
QUIET_SHARE = QUIET_STEPS / STEPS


@dataclass
class Result:
    """What a run came to.

    Attributes:
        meanwhile: records of incidents that came before the storm was over.
        standstills: the longest of each stage, in seconds, see `Pulse`.
        silences: times at which a partition that is written to was found idle: what came after that may be late, so the
            replay alone says what is right.
        longest_gap_seconds: between two records of one partition of telemetry, as the brokers took them.
        differences: to the undisturbed run, and to a replay of what this one left on its topics.

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
    if not result.silences:
        result.differences += compare(result.calm, result.storm)
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
        here = Installation(cluster, plan, prefix, pager)
        await here.make()
        await Sending(here.bootstrap, here.telemetry).send(story.records)
        async with Fleet(here.config, cluster.direct, 1) as fleet:
            await here.until_told(fleet.check)
        return await here.written()


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
        here = Installation(cluster, plan, prefix, pager)
        await here.make()
        fleet = await stack.enter_async_context(Fleet(here.config, cluster.through, WORKERS))
        workers = list(fleet.workers)
        sending = Sending(here.bootstrap, here.telemetry)
        await sending.send(story.records[:quiet])
        await here.until_ticking(fleet)
        await calm
        pulse = await stack.enter_async_context(Pulse(here.bootstrap, prefix, plan.stall_seconds))
        storm = Storm(cluster, fleet, pager, pulse, prefix + topics.STATE)

        def pause(share: float) -> float:
            """As fast as the storm goes on, so that neither comes after the other is over."""
            done = (share - QUIET_SHARE) / (1 - QUIET_SHARE)
            ahead = done - storm.begun / max(len(faults), 1)
            return min(max(USUAL_PAUSE_SECONDS * (1 + 20 * ahead), 0.05), LONGEST_PAUSE_SECONDS)

        async def storming() -> dict[int, int]:
            since = await here.until_awake(fleet)
            await storm.run(faults, lambda fault: told(fault.kind.value))
            return since

        since, _ = await _together(storming(), sending.send(story.records[quiet:], pause))
        result.longest_gap_seconds = sending.longest_gap_seconds
        result.meanwhile = len((await here.written()).records)
        told("coming to rest")
        await here.until_told()
        await pulse.level()
        await fleet.leave()
        result.faults = storm.done
        result.repeated_pages = pager.repeats
        result.starts = sum(worker.starts for worker in workers)
        result.codes = sum((worker.codes for worker in workers), Counter())
        result.stalls = pulse.stalls
        result.standstills = pulse.longest
        samples, written = await here.samples(), await here.written()
        result.silences = silences(heard(samples), PLACES, since)
        result.differences = await unlike_replay(written, samples, here.folder)
        return written


def seeds(seed: int, faults: int, per_run: int) -> list[tuple[str, int]]:
    """Seeds of the runs that so many faults take, and the number of faults of each."""
    runs = max(1, -(-faults // per_run))
    share, more = divmod(faults, runs)
    return [(f"{seed}/{at + 1}", share + (at < more)) for at in range(runs)]
