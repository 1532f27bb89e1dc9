"""The idle watch's shell: asks the broker where each source partition ends, and tells the stages of silent ones."""

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


async def watch_idle(runner: StageRunner[Any], clock: Clock, idle_after_ms: int) -> None:
    """Look at the partitions of a runner for ever."""
    watch: IdleWatch[TP] = IdleWatch(idle_after_ms)
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
        for tp, partition in partitions.items():
            position = partition.next_offset
            at_end = tp in ends and position >= ends[tp]
            verdict = watch.look(tp, position, clock.now_ms(), at_end=at_end)
            if verdict is not None:
                runner.inject(tp, verdict)
