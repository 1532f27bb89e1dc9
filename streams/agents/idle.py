"""The idle watch's shell: asks the broker where each source partition ends, and tells the stages of silent ones.

Silence is measured by the steady clock, and only while the broker answers. A wall clock that is set begins it anew, for
the verdict carries its time.
"""

import asyncio
import logging
from typing import Any

from aiokafka.errors import KafkaError
from faust.types import TP

from streams.time.clock import Clock
from streams.time.idle import Idle, IdleWatch
from streams.transport.runner import StageRunner

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
MOST_GAP_LOOKS = 2
"""Time between answers counts up to so many looks: more of it was an outage of the broker's, or of ours."""
JUMP_MS = 2_000
"""By so much the wall clock may leave the monotonic one between two looks; clocks that are slewed stay far below."""


async def watch_idle(runner: StageRunner[Any], clock: Clock, idle_after_ms: int) -> None:
    """Look at the partitions of a runner for ever."""
    watch: IdleWatch[TP] = IdleWatch(idle_after_ms, int(MOST_GAP_LOOKS * LOOK_SECONDS * 1000))
    ahead_ms = clock.now_ms() - _steady_ms()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        partitions = dict(runner.checkpointer.partitions)
        watch.forget(set(partitions))
        try:
            # what the broker says now, not what the last fetch saw: a cut line is no silence
            ends = await runner.app.consumer.log_ends(list(partitions))
        except (KafkaError, TimeoutError) as error:
            log.warning("stage %s: no ends of its partitions: %s", runner.name, error)
            continue
        now_ms, steady_ms = clock.now_ms(), _steady_ms()
        if abs(now_ms - steady_ms - ahead_ms) > JUMP_MS:
            log.warning("stage %s: the clock was set; no partition is silent for now", runner.name)
            watch.forget(set())
        ahead_ms = now_ms - steady_ms
        for tp, partition in partitions.items():
            position = partition.next_offset
            at_end = tp in ends and position >= ends[tp]
            if watch.look(tp, position, steady_ms, at_end=at_end):
                runner.inject(tp, Idle(now_ms))


def _steady_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)
