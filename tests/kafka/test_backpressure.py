"""What a worker keeps while it cannot go on: bounded, and afterwards nothing is missing."""

import pytest

from benchmarks import workload
from benchmarks.backpressure import alert_ids, create, is_through, running_worker
from benchmarks.held import FLAPPING
from benchmarks.node import Node
from benchmarks.replica import running_replica
from schemas import topics
from schemas.alerts import Alert, AlertRecord
from schemas.records import decode_record
from streams.detect.stage import FusedStage
from streams.time.clock import WallClock
from streams.transport.chunk import Chunk
from streams.transport.options import RunnerOptions

HELD_SECONDS = 12.0
ROUNDS = 10
"""So many times as long a held stage may take to come to rest."""
GROWTH_MB = 15.0
"""What buffers may take: the backlog is 41 MB, and several times that as records in Python."""
PREFIX = "backpressure-"
TELEMETRY = f"{PREFIX}telemetry"
ALERTS = topics.outer_name(topics.ALERTS, PREFIX)
FLAPPING_COUNT = 80_000

pytestmark = pytest.mark.slow


@pytest.fixture
def node(own_kafka: str) -> Node:
    """A Kafka of this test."""
    return Node(own_kafka)


def telemetry(count: int) -> list[workload.Message]:
    """From an hour ago, so that nothing is too old."""
    return list(workload.messages(count, WallClock().now_ms() - 3_600_000))


def expected(found: list[workload.Message], rules: str) -> set[str]:
    """Identities of the alerts of an undisturbed stage that gets each partition as one chunk."""
    config = workload.config(TELEMETRY, keyed=True, prefix=PREFIX)
    ids: set[str] = set()
    for number in range(workload.PARTITIONS):
        mine = [m for m in found if m.partition == number]
        chunk = Chunk(
            TELEMETRY,
            number,
            fetch_offset=0,
            next_offset=len(mine),
            values=[m.value for m in mine],
            timestamps=[m.time_ms for m in mine],
        )
        stage = FusedStage(config, workload.rules(rules), config.sources[0], number)
        records = [decode_record(o.value or b"", AlertRecord) for o in stage.apply(chunk)]
        ids |= {record.id for record in records if isinstance(record, Alert)}
    return ids


def test_a_held_stage_holds_the_fetch(node: Node) -> None:
    """While a stage takes nothing, what is fetched for it stays small; afterwards every alert is there."""
    node.create(TELEMETRY, prefix=PREFIX)
    with running_worker(node, TELEMETRY, PREFIX, "--fused") as worker:
        worker.tell("hold fused")
        found = telemetry(400_000)
        node.fill(TELEMETRY, found)
        worker.wait(lambda seen: seen["fused"].lag == len(found))
        memory = worker.watch(HELD_SECONDS, lambda _: None)
        assert 0 == worker.tell("release fused")["fused"].records
        worker.wait(lambda seen: seen["fused"].records == len(found) and is_through(seen))
    assert GROWTH_MB > memory.growth
    ids = alert_ids(node.bootstrap, ALERTS)
    assert ids
    assert expected(found, workload.RULES) == set(ids)
    assert len(set(ids)) == len(ids)


def test_a_topic_that_takes_no_write_holds_the_stage(node: Node) -> None:
    """While its outputs are refused, a stage stops with a full outbox; afterwards each has arrived, none is lost."""
    own = topics.all_topics((), workload.PARTITIONS, PREFIX)
    given = [topics.Topic(TELEMETRY, "any", "telemetry", workload.PARTITIONS), *own]
    create(node.bootstrap, [topic for topic in given if topic.name != ALERTS])
    found = telemetry(FLAPPING_COUNT)
    with running_replica(node.bootstrap) as replica:
        replica.create(ALERTS, workload.PARTITIONS)
        replica.wait_for_copies(ALERTS, 2)
        with running_worker(node, TELEMETRY, PREFIX, "--fused", "--rules=flapping") as worker:
            replica.stop()
            node.fill(TELEMETRY, found)
            worker.wait(lambda seen: seen["fused"].waiting >= RunnerOptions.outbox_records)
            # what is fetched already comes to rest, on a busy machine later than on an idle one
            for _ in range(ROUNDS):
                before = worker.tell("look")["fused"]
                memory = worker.watch(HELD_SECONDS, lambda _: None)
                if before == (after := worker.tell("look")["fused"]):
                    break
            replica.start()
            worker.wait(lambda seen: seen["fused"].records == len(found) and is_through(seen))
    assert before == after
    assert 0 < after.lag
    assert GROWTH_MB > memory.growth
    ids = alert_ids(node.bootstrap, ALERTS)
    assert expected(found, FLAPPING) == set(ids)
    assert len(set(ids)) == len(ids)
