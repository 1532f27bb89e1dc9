"""The idle watch's shell: asks the broker where each source partition ends, and tells the stages of silent ones.

A clock that is set is no silence: what stood still begins to do so anew.
"""

import asyncio
import logging
from typing import Any

from aiokafka.errors import KafkaError
from faust.types import TP

from streams.time.clock import Clock
from streams.time.idle import IdleWatch
from streams.transport.runner import StageRunner

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
JUMP_MS = 2_000
"""By so much the wall clock may leave the monotonic one between two looks; clocks that are slewed stay far below."""


async def watch_idle(runner: StageRunner[Any], clock: Clock, idle_after_ms: int) -> None:
    """Look at the partitions of a runner for ever."""
    watch: IdleWatch[TP] = IdleWatch(idle_after_ms)
    ahead_ms = _ahead_ms(clock)
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
        if abs(_ahead_ms(clock) - ahead_ms) > JUMP_MS:
            log.warning("stage %s: the clock was set; no partition is silent for now", runner.name)
            watch.forget(set())
        ahead_ms = _ahead_ms(clock)
        for tp, partition in partitions.items():
            position = partition.next_offset
            at_end = tp in ends and position >= ends[tp]
            verdict = watch.look(tp, position, clock.now_ms(), at_end=at_end)
            if verdict is not None:
                runner.inject(tp, verdict)


def _ahead_ms(clock: Clock) -> int:
    """How far the wall clock is ahead of the monotonic one."""
    return clock.now_ms() - int(asyncio.get_running_loop().time() * 1000)
