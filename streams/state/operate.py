"""What operators ask of checkpoints: where each stage stands, whether its snapshots can be read, and to forget them.

Reads what the consumer groups have committed, and the state topic; it joins no group, so it may be asked while workers
run. It refuses to reset a group that has members: they would commit their own positions over it.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata
from faust.types import TP

from schemas.errors import BrokerError, CheckpointError
from schemas.topics import STATE
from streams.state.codec import decode
from streams.state.pointer import FORGOTTEN, Pointer, Position
from streams.state.snapshots import SnapshotReader
from streams.transport.admin import ANSWER_MS
from streams.transport.broker import Broker

GROUP = "tocsin-"
EARLIEST, LATEST = "earliest", "latest"


class Standing(NamedTuple):
    """Where a stage stands in one input partition.

    Attributes:
        offset: up to which its checkpoint covers the input.
        start: oldest offset that the log has.
        end: offset after the newest.
        text: metadata of the commit.

    """

    stage: str
    topic: str
    partition: int
    offset: int
    start: int
    end: int
    text: str

    @property
    def lag(self) -> int:
        """Records that no checkpoint covers."""
        return self.end - max(self.offset, self.start)

    @property
    def lost(self) -> int:
        """Records that went from the log before they were read."""
        return max(0, self.start - self.offset)

    @property
    def position(self) -> Position | None:
        """Where its snapshots lie, None when it has none.

        Raises:
            CheckpointError: the metadata is not ours, or of a later version.

        """
        return Position.from_text(self.text)


class Verdict(NamedTuple):
    """What became of reading one snapshot; `fault` is empty when it is sound."""

    stage: str
    topic: str
    partition: int
    which: str
    kind: str
    version: int
    size_bytes: int
    fault: str


async def standings(broker: Broker, stages: Iterable[str]) -> list[Standing]:
    """Where these stages stand, by stage, topic and partition; nothing of a stage that never saved.

    Raises:
        KafkaError: the broker cannot be reached.

    """
    admin = AIOKafkaAdminClient(**broker.client_options(), request_timeout_ms=ANSWER_MS)
    consumer = AIOKafkaConsumer(**broker.client_options(), group_id=None)
    await admin.start()
    try:
        await consumer.start()
        found: list[Standing] = []
        for stage in stages:
            group = f"{broker.prefix}{GROUP}{stage}"
            committed = await admin.list_consumer_group_offsets(group)
            places = sorted(tp for tp, at in committed.items() if at.offset >= 0)
            starts = await consumer.beginning_offsets(places) if places else {}
            ends = await consumer.end_offsets(places) if places else {}
            found += [
                Standing(
                    stage,
                    broker.inner(tp.topic),
                    tp.partition,
                    committed[tp].offset,
                    starts[tp],
                    ends[tp],
                    committed[tp].metadata or "",
                )
                for tp in places
            ]
        return found
    finally:
        await consumer.stop()
        await admin.close()


async def verify(broker: Broker, found: Sequence[Standing]) -> list[Verdict]:
    """Read every snapshot that these point to.

    Raises:
        KafkaError: the broker cannot be reached.

    """
    verdicts = []
    for each in found:
        try:
            position = each.position
        except CheckpointError as error:
            verdicts.append(_verdict(each, "current", str(error)))
            continue
        if position is None:
            continue
        snapshots: list[tuple[str, Pointer]] = [("current", position.current)]
        if position.previous is not None:
            snapshots.append(("previous", position.previous))
        async with SnapshotReader(each.stage, broker.outer(STATE), broker) as reader:
            verdicts += [await _read(reader, broker, each, *snapshot) for snapshot in snapshots]
    return verdicts


async def _read(
    reader: SnapshotReader, broker: Broker, each: Standing, which: str, pointer: Pointer
) -> Verdict:
    try:
        place = TP(broker.outer(each.topic), each.partition)
        blob = (await reader.read(place, pointer)).snapshot
        state = decode(blob)
    except (CheckpointError, BrokerError) as error:
        return _verdict(each, which, str(error))
    named = (each.stage, each.topic, each.partition, which)
    return Verdict(*named, state.kind, state.version, len(blob), "")


def _verdict(each: Standing, which: str, fault: str) -> Verdict:
    return Verdict(each.stage, each.topic, each.partition, which, "", 0, 0, fault)


async def reset(broker: Broker, stage: str, found: Sequence[Standing], to: str) -> list[Standing]:
    """Let a stage begin anew, without state, at the start or the end of what it reads; where it then stands.

    Raises:
        BrokerError: workers of the stage run.
        KafkaError: the broker cannot be reached.

    """
    group = f"{broker.prefix}{GROUP}{stage}"
    admin = AIOKafkaAdminClient(**broker.client_options(), request_timeout_ms=ANSWER_MS)
    await admin.start()
    try:
        answers = await admin.describe_consumer_groups([group])
        members = sum(len(described[5]) for answer in answers for described in answer.groups)
    finally:
        await admin.close()
    if members:
        raise BrokerError(f"stage {stage} runs in {members} places; stop its workers first")
    consumer = AIOKafkaConsumer(**broker.client_options(), group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        wanted = [
            each._replace(offset=each.start if to == EARLIEST else each.end, text=FORGOTTEN)
            for each in found
        ]
        places = {
            TopicPartition(broker.outer(each.topic), each.partition): OffsetAndMetadata(
                each.offset, FORGOTTEN
            )
            for each in wanted
        }
        consumer.assign(list(places))
        await consumer.commit(places)
    finally:
        await consumer.stop()
    return wanted
