"""Workers with names of their own, whose sessions outlast every test: nobody waits for one that is gone."""

from collections import Counter

from tests.transport.tally import PARTITIONS, expected, host
from tests.transport.test_crash import start_worker
from tests.transport.test_runner import collect, make_topics, produce, values


async def test_a_killed_worker_that_comes_back_is_not_waited_for(
    kafka_bootstrap: str, prefix: str
) -> None:
    """Started again under its name, it has its partitions and their state without the end of its old session."""
    await make_topics(kafka_bootstrap, prefix)
    wanted = expected(values(0, 400))
    await produce(kafka_bootstrap, prefix, values(0, 200))
    worker = start_worker(kafka_bootstrap, prefix, "one")
    try:
        await collect(kafka_bootstrap, prefix, wanted[:200])
        worker.kill()
        worker.wait()
        worker = start_worker(kafka_bootstrap, prefix, "one")
        await produce(kafka_bootstrap, prefix, values(200, 400))
        seen = await collect(kafka_bootstrap, prefix, wanted)
    finally:
        worker.kill()
        worker.wait()
    assert set(wanted) == seen.keys()


async def test_a_worker_that_stops_hands_its_partitions_over(
    kafka_bootstrap: str, prefix: str
) -> None:
    """One with a name leaves its group when it is stopped, so that the others go on at once, and exactly."""
    await make_topics(kafka_bootstrap, prefix)
    wanted = expected(values(0, 600))
    async with host(kafka_bootstrap, prefix, instance="one") as first:
        await produce(kafka_bootstrap, prefix, values(0, 200))
        await collect(kafka_bootstrap, prefix, wanted[:200])
        async with host(kafka_bootstrap, prefix, instance="two"):
            await produce(kafka_bootstrap, prefix, values(200, 400))
            await collect(kafka_bootstrap, prefix, wanted[:400])
        await produce(kafka_bootstrap, prefix, values(400, 600))
        assert Counter(wanted) == await collect(kafka_bootstrap, prefix, wanted)
        assert PARTITIONS == len(first.runners[prefix].checkpointer.partitions)
