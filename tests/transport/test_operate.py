"""What operators ask of checkpoints, on a real Kafka."""

import asyncio
from collections import Counter

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.errors import BrokerError
from schemas.topics import STATE, Topic
from streams.state.operate import EARLIEST, LATEST, reset, standings, verify
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from streams.transport.host import Host
from streams.transport.options import RunnerOptions
from tests.kafka.reading import until
from tests.transport.tally import PARTITIONS, Tally, expected
from tests.transport.test_runner import collect, make_topics, produce

VALUES = ["a:1", "b:1", "a:2"]


def host(broker: Broker, stage: str) -> Host:
    """A process that tallies `<stage>-in` to `<stage>-out`, and saves where operators look."""
    made = Host(broker)
    made.add(
        stage,
        [f"{stage}-in"],
        lambda _topic, _partition: Tally(f"{stage}-out"),
        RunnerOptions(checkpoint_interval_seconds=0.5, session_timeout_seconds=6),
    )
    return made


async def work(broker: Broker, stage: str, sent: list[bytes]) -> Counter[bytes]:
    """Work until all this has been sent, since the topic began, and save; what has been sent then."""
    async with host(broker, stage) as running:
        found = await collect(broker.bootstrap, stage, sent)
        await until(lambda: not running.runners[stage].vitals().unsaved)
        return found


@pytest.fixture
async def worked(kafka_bootstrap: str, prefix: str) -> tuple[Broker, str]:
    """A broker, and a stage that has worked and stopped there."""
    broker = Broker(kafka_bootstrap)
    await make_topics(kafka_bootstrap, prefix)
    await create_topics(broker, [Topic(STATE, "", "", PARTITIONS, {"cleanup.policy": "compact"})])
    await produce(kafka_bootstrap, prefix, VALUES)
    await work(broker, prefix, expected(VALUES))
    return broker, prefix


async def test_what_is_covered_is_shown_and_can_be_read(worked: tuple[Broker, str]) -> None:
    """Every partition with records is covered to its end, and its snapshot is sound."""
    broker, stage = worked
    found = await standings(broker, [stage, "never-saved"])
    assert {(sum(b"a") % PARTITIONS, 2, 0), (sum(b"b") % PARTITIONS, 1, 0)} == {
        (each.partition, each.offset, each.lag) for each in found
    }
    verdicts = await verify(broker, found)
    assert [("tally", 1, "")] * len(verdicts) == [(v.kind, v.version, v.fault) for v in verdicts]
    assert len(found) <= len(verdicts)


async def test_a_snapshot_that_is_gone_is_a_fault(worked: tuple[Broker, str]) -> None:
    """Metadata that point to nothing, and metadata of somebody else, are each told, and the others still read."""
    broker, stage = worked
    found = await standings(broker, [stage])
    position = found[0].position
    assert position is not None
    gone = position.current.__class__(*(1, 0, 10**6, 10**6, 1, 0, 0))
    broken = found[0]._replace(text=position.followed_by(gone).to_text())
    verdicts = await verify(broker, [broken, found[1]._replace(text="not ours")])
    assert ["current", "previous", "current"] == [verdict.which for verdict in verdicts]
    assert [True, False, True] == [bool(verdict.fault) for verdict in verdicts]


async def test_a_stage_that_was_reset_begins_anew(worked: tuple[Broker, str]) -> None:
    """At the start it sends what it sent before, at the end nothing; while it runs it is left alone."""
    broker, stage = worked
    async with host(broker, stage):
        with pytest.raises(BrokerError, match="stop its workers first"):
            await reset(broker, stage, await standings(broker, [stage]), EARLIEST)
    twice = expected(VALUES) * 2
    await reset(broker, stage, await standings(broker, [stage]), EARLIEST)
    assert {(0, None)} == {(e.offset, e.position) for e in await standings(broker, [stage])}
    assert Counter(twice) == await work(broker, stage, twice)
    await reset(broker, stage, await standings(broker, [stage]), LATEST)
    # each of them would come after what lies before it in its partition
    await produce(broker.bootstrap, stage, anew := ["a:3", "b:2"])
    sent = [*twice, *expected(anew)]
    assert Counter(sent) == await work(broker, stage, sent)


async def test_offsets_that_expired_lose_no_state(worked: tuple[Broker, str]) -> None:
    """A group that the broker has forgotten goes on from its newest snapshots, and sends nothing twice."""
    broker, stage = worked
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for done in admin.delete_consumer_groups([f"tocsin-{stage}"]).values():
        await asyncio.to_thread(done.result)
    assert [] == await standings(broker, [stage])
    await produce(broker.bootstrap, stage, ["a:3", "b:2"])
    sent = expected([*VALUES, "a:3", "b:2"])
    assert Counter(sent) == await work(broker, stage, sent)
    assert 2 == len([each for each in await standings(broker, [stage]) if each.position])


async def test_offsets_that_are_set_back_by_hand_lose_no_state(worked: tuple[Broker, str]) -> None:
    """What the state holds is not counted again by a tool that knows of offsets only; `reset` is what forgets."""
    broker, stage = worked
    places = [TopicPartition(f"{stage}-in", p, 0) for p in range(PARTITIONS)]
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    group = ConsumerGroupTopicPartitions(f"tocsin-{stage}", places)
    for done in admin.alter_consumer_group_offsets([group]).values():
        await asyncio.to_thread(done.result)
    assert {(0, None)} == {(e.offset, e.position) for e in await standings(broker, [stage])}
    await produce(broker.bootstrap, stage, ["a:3", "b:2"])
    sent = expected([*VALUES, "a:3", "b:2"])
    assert Counter(sent) == await work(broker, stage, sent)
