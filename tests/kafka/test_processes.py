"""`tocsin run --processes 2` on a real Kafka: who is killed, who is told to stop, and who is left alone."""

import asyncio
import json
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from deploy.ports import free_ports
from schemas.samples import decode_batch
from schemas.topics import PARTITIONS, SAMPLES, Topic, all_topics
from streams.transport.admin import create_topics
from streams.transport.broker import Broker
from tests.cli.conftest import Running
from tests.kafka.reading import PATIENCE_SECONDS, produce, read_topic

CONFIG = """\
kafka: {{bootstrap: "{bootstrap}", prefix: {prefix}, session_timeout: 6s}}
sources: [{{topic: {prefix}telemetry}}]
metrics: {{port: {port}}}
rules: [r.yml]
"""
RULES = "groups: [{name: g, rules: [{alert: A, expr: temperature > 80}]}]\n"
RUN = ("run", "--processes", "2", "--stage", "ingest", "--stage", "detect")
STARTED = "stop with Ctrl-C"

pytestmark = pytest.mark.slow


class Installation:
    """A folder with a configuration, its topics on the broker, and the supervisors that were started there."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.bootstrap = bootstrap
        self.port = free_ports(2)[0]
        self.prefix = f"processes-{time.time_ns()}-"
        self.folder = folder
        self.started: list[Running] = []
        text = CONFIG.format(bootstrap=bootstrap, prefix=self.prefix, port=self.port)
        (folder / "tocsin.yaml").write_text(text)
        (folder / "r.yml").write_text(RULES)
        self.topic = f"{self.prefix}telemetry"
        wanted = [Topic(self.topic, "none", "any"), *all_topics((), PARTITIONS, self.prefix)]
        asyncio.run(create_topics(Broker(bootstrap), wanted))

    def run(self) -> tuple[Running, list[psutil.Process]]:
        """A supervisor, and its two workers as soon as they run."""
        self.started.append(Running(self.folder, *RUN))
        running = self.started[-1]
        running.wait_for(STARTED, 3)
        return running, psutil.Process(running.process.pid).children()

    def send(self, first: int, count: int) -> None:
        """Telemetry, the same number of records to each partition."""
        now = time.time_ns() // 1_000_000
        values = [
            json.dumps({"ts": now + n, "metric": "temperature", "value": 60, "labels": {}}).encode()
            for n in range(first, first + count)
        ]
        asyncio.run(produce(self.bootstrap, self.topic, values))

    def committed(self) -> list[int]:
        """How far the group of ingest has come, by partition."""

        async def ask() -> list[int]:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
            await admin.start()
            try:
                places = [TopicPartition(self.topic, p) for p in range(PARTITIONS)]
                group = f"{self.prefix}tocsin-ingest"
                found = await admin.list_consumer_group_offsets(group, partitions=places)
                return [found[place].offset for place in places]
            finally:
                await admin.close()

        return asyncio.run(ask())

    def sent_on(self) -> Counter[tuple[int, int]]:
        """How often ingest has sent on each record of telemetry: by partition and offset."""
        found: Counter[tuple[int, int]] = Counter()
        for record in asyncio.run(read_topic(self.bootstrap, self.prefix + SAMPLES)):
            batch = decode_batch(record.value)
            found.update((batch.partition, offset) for offset in batch.offsets.tolist())
        return found

    def until_committed(self, each: int) -> None:
        """Wait until ingest has committed so much of each partition."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while [each] * PARTITIONS != (found := self.committed()):
            assert time.monotonic() < deadline, found
            time.sleep(0.2)


@pytest.fixture
def installation(kafka_bootstrap: str, tmp_path: Path) -> Iterator[Installation]:
    """An installation whose processes end with the test."""
    made = Installation(kafka_bootstrap, tmp_path)
    yield made
    for running in made.started:
        family = [running.process.pid]
        if running.process.poll() is None:
            family += [p.pid for p in psutil.Process(family[0]).children(recursive=True)]
            for pid in family:
                os.kill(pid, signal.SIGKILL)
        running.process.wait()


def test_a_killed_worker_comes_back_and_the_other_goes_on(installation: Installation) -> None:
    """After kill -9 of one worker the other takes in what comes, a new one is started, and both share again."""
    running, (victim, survivor) = installation.run()
    installation.send(0, 400)
    installation.until_committed(100)

    os.kill(victim.pid, signal.SIGKILL)
    installation.send(400, 400)
    installation.until_committed(200)
    running.wait_for("ended with -9; started again in 1 s")
    running.wait_for(STARTED, 4)
    installation.send(800, 400)
    installation.until_committed(300)

    workers = psutil.Process(running.process.pid).children()
    assert survivor in workers
    assert 2 == len(workers)
    assert 0 == running.stop()
    assert not any(worker.is_running() for worker in workers)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_all_workers(installation: Installation, number: signal.Signals) -> None:
    """Within ten seconds all have stopped; what is committed has been sent on, and the next begin right behind it.

    Whose last commit comes after the other has left, and the group has moved on, has it refused: its samples come twice
    then, which their readers know by the offset, and none is left out.
    """
    running, workers = installation.run()
    installation.send(0, 4_000)
    installation.until_committed(1_000)
    installation.send(4_000, 4_000)

    assert 0 == running.stop(number)
    assert not any(worker.is_running() for worker in workers)
    assert "is killed" not in running.said
    assert "took over" not in running.said
    committed = installation.committed()
    samples = installation.sent_on()
    assert all(1_000 <= offset <= 2_000 for offset in committed)
    assert {(p, at) for p, offset in enumerate(committed) for at in range(offset)} <= set(samples)
    running, _ = installation.run()
    installation.until_committed(2_000)
    running.stop()
    rest = {(p, at): 1 for p, offset in enumerate(committed) for at in range(offset, 2_000)}
    assert rest == installation.sent_on() - samples


def test_workers_end_with_their_supervisor(installation: Installation) -> None:
    """A supervisor that is killed with -9 leaves no worker behind: five seconds later all are gone."""
    running, workers = installation.run()
    assert 2 == len(workers)

    running.process.kill()
    running.process.wait()

    gone, alive = psutil.wait_procs(workers, timeout=60)
    assert ([], 2) == (alive, len(gone))


def test_a_worker_that_cannot_start_ends_all_with_the_reason(installation: Installation) -> None:
    """The second worker's metrics port is taken: the exit code of all is 2, and the address is told."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", installation.port + 1))
        taken.listen()
        installation.started.append(Running(installation.folder, *RUN))
        running = installation.started[-1]
        code = running.process.wait(PATIENCE_SECONDS)

    assert 2 == code
    place = f"127.0.0.1:{installation.port + 1}"
    assert f"tocsin: metrics: cannot listen on {place}: Address already in use" in running.said
    assert "worker 2 cannot start: exit code 2; giving up" in running.said
