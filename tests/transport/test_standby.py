"""Two workers that share the partitions: each has at hand what the other one saved."""

import asyncio
from collections import Counter

from aiokafka import AIOKafkaProducer
from faust.types import TP

from streams.state.partition import Partition
from streams.transport.broker import Broker
from streams.transport.fence import FencedError
from streams.transport.host import Host
from streams.transport.runner import StageRunner
from tests.kafka.reading import PATIENCE_SECONDS
from tests.transport.tally import PARTITIONS, Tally, expected, host
from tests.transport.test_runner import collect, make_topics, produce, values

KEYS = 23
"""So many values in a row are one for each key, and some for each partition."""


async def test_a_takeover_reads_no_snapshots(kafka_bootstrap: str, prefix: str) -> None:
    """What one worker leaves the other restores from its own memory, and goes on exactly."""
    await make_topics(kafka_bootstrap, prefix)
    async with host(kafka_bootstrap, prefix, instance="one") as first:
        second = host(kafka_bootstrap, prefix, instance="two")
        async with second:
            await until_shared(first, second, prefix)
            count = await until_at_hand(second, first, kafka_bootstrap, prefix)
        await produce(kafka_bootstrap, prefix, values(count, count + 200))
        wanted = expected(values(0, count + 200))
        assert Counter(wanted) == await collect(kafka_bootstrap, prefix, wanted)
        assert first.standby.given >= PARTITIONS // 2


async def test_a_timer_moves_only_what_its_worker_has() -> None:
    """What does not come from a log reaches a partition at its owner alone, and after a failure none."""
    here, there = TP("in", 0), TP("in", 1)
    producer = AIOKafkaProducer(bootstrap_servers="nowhere:1")
    runner = StageRunner(
        "timed",
        broker=Broker("nowhere:1"),
        input_topics=["in"],
        new_stage=lambda _topic, _partition: Tally("out"),
        producer=producer,
    )
    runner.checkpointer.partitions[here] = Partition(here, Tally("out"), 0)
    assert (True, False) == (runner.inject(here, "due"), runner.inject(there, "due"))
    assert (1, 1) == (runner.outbox.position, runner.stats.events)
    runner.give_up(FencedError("others have its partitions"))
    assert not runner.inject(here, "due")
    await producer.stop()


async def until_shared(first: Host, second: Host, prefix: str) -> None:
    """Wait until each has half of the partitions."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while any(
            len(each.runners[prefix].checkpointer.partitions) != PARTITIONS // 2
            for each in (first, second)
        ):
            await asyncio.sleep(0.1)


async def until_at_hand(theirs: Host, mine: Host, bootstrap: str, prefix: str) -> int:
    """Let values come until all that they have saved of them has come to my standby too; how many there were."""
    count = 0
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            # what was saved before the standby began to follow does not reach it
            await produce(bootstrap, prefix, values(count, count + KEYS))
            count += KEYS
            await collect(bootstrap, prefix, expected(values(0, count)))
            for _ in range(20):
                if is_at_hand(theirs, mine, prefix):
                    return count
                await asyncio.sleep(0.1)


def is_at_hand(theirs: Host, mine: Host, prefix: str) -> bool:
    """Whether what they have is saved, and my standby has the snapshots."""
    reader = mine.runners[prefix].checkpointer._store.reader()
    return all(
        not partition.dirty
        and partition.position is not None
        and mine.standby.held.get(*reader.place(tp, partition.position.current)) is not None
        for tp, partition in theirs.runners[prefix].checkpointer.partitions.items()
    )
