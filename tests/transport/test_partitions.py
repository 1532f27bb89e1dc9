"""Partitions that are added to a topic while it is read."""

import asyncio
from collections import Counter

from confluent_kafka.admin import AdminClient, NewPartitions

from tests.transport.tally import PARTITIONS, expected, host
from tests.transport.test_runner import collect, make_topics, produce

FEW = 2


async def test_partitions_that_are_added_are_read_without_a_stop(
    kafka_bootstrap: str, prefix: str
) -> None:
    """The worker that runs takes the new ones up, from their beginning, and the others lose nothing."""
    await make_topics(kafka_bootstrap, prefix, partitions=FEW)
    before = [f"{key}:{n}" for n in range(20) for key in "de"]
    after = [f"{key}:{n}" for n in range(20, 40) for key in "defg"]
    assert {0, 1, 2, 3} == {sum(value[:1].encode()) % PARTITIONS for value in after}
    async with host(kafka_bootstrap, prefix) as running:
        await produce(kafka_bootstrap, prefix, before)
        await collect(kafka_bootstrap, prefix, expected(before), FEW)
        admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
        for done in admin.create_partitions([NewPartitions(f"{prefix}-in", PARTITIONS)]).values():
            await asyncio.to_thread(done.result)
        await produce(kafka_bootstrap, prefix, after)
        wanted = expected(before + after)
        seen = await collect(kafka_bootstrap, prefix, wanted, FEW)
        assert PARTITIONS == len(running.runners[prefix].checkpointer.partitions)
    assert Counter(wanted) == seen
