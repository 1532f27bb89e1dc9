"""Replica: a second broker that holds the other copy of one topic, so that the topic can be made to refuse writes.

A topic with `min.insync.replicas=2` on two brokers takes no write while one of them is away (NOT_ENOUGH_REPLICAS). On
one broker alone Kafka does not refuse: it never asks for more copies than the topic has.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import psutil
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.node import LIBS, QUIET
from deploy.kafka.broker import CLUSTER_ID, GUARD, HEAP
from deploy.kafka.jars import find_java
from deploy.ports import free_port

FIRST, SECOND = 1, 2
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.1
NO_COORDINATOR_YET = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)
PROPERTIES = """\
process.roles=broker
node.id={node}
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={home}/data
"""


class Replica:
    """The second broker; `stop` and `start` it as often as needed."""

    def __init__(self, bootstrap: str, home: Path) -> None:
        self._admin = AdminClient({"bootstrap.servers": bootstrap} | QUIET)
        self._home = home
        self._properties = home / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None
        text = PROPERTIES.format(
            node=SECOND, controller=_controller_port(bootstrap), port=free_port(), home=home
        )
        self._properties.write_text(text)
        self._run("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c").communicate()

    def start(self) -> Self:
        """Have it in the cluster."""
        self._process = self._run("kafka.Kafka")
        self._wait(lambda: SECOND in self._admin.list_topics(timeout=10).brokers)
        return self

    def stop(self) -> None:
        """Take it out of the cluster; topics that need both brokers refuse writes from now on."""
        if self._process is not None:
            for child in psutil.Process(self._process.pid).children(recursive=True):
                child.terminate()
            self._process.wait()
            self._process = None

    def create(self, topic: str, partitions: int) -> None:
        """Make a topic that takes writes only while both brokers have it."""
        new = NewTopic(
            topic,
            num_partitions=partitions,
            replica_assignment=[[FIRST, SECOND]] * partitions,
            config={"min.insync.replicas": "2"},
        )
        for made in self._admin.create_topics([new]).values():
            made.result()

    def wait_for_copies(self, topic: str, copies: int) -> None:
        """Wait until so many brokers have all of a topic."""

        def there() -> bool:
            found = self._admin.list_topics(topic, timeout=10).topics[topic].partitions.values()
            return all(len(partition.isrs) == copies for partition in found)

        self._wait(there)

    def _wait(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not true():
            if time.monotonic() > end:
                raise RuntimeError((self._home / "kafka.log").read_text()[-2000:])
            time.sleep(POLL_SECONDS)

    def _run(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        java = [find_java(), HEAP, "-cp", f"{LIBS.resolve()}/*", what, *words]
        guard = [sys.executable, str(GUARD), str(os.getpid()), str(self._home)]
        with (self._home / "kafka.log").open("ab") as log:
            return subprocess.Popen(
                [*guard, *java, str(self._properties)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


@contextmanager
def running_replica(bootstrap: str) -> Iterator[Replica]:
    """Run a second broker beside the one at this address; it ends with the block."""
    _have_groups(bootstrap)
    with TemporaryDirectory(prefix="tocsin-replica-", ignore_cleanup_errors=True) as home:
        replica = Replica(bootstrap, Path(home)).start()
        try:
            yield replica
        finally:
            replica.stop()


def _have_groups(bootstrap: str) -> None:
    """Let the cluster make its topic of offsets while it has one broker, or groups would be on the second."""
    asker = Consumer({"bootstrap.servers": bootstrap, "group.id": "replica"} | QUIET)
    end = time.monotonic() + PATIENCE_SECONDS
    try:
        while not _answers(asker):
            if time.monotonic() > end:
                raise RuntimeError(f"no broker of {bootstrap} coordinates groups")
            time.sleep(POLL_SECONDS)
    finally:
        asker.close()


def _answers(asker: Consumer) -> bool:
    """Whether a coordinator answers for the group; while the topic of offsets is made, none does."""
    try:
        asker.committed([TopicPartition("none", 0)], timeout=PATIENCE_SECONDS)
    except KafkaException as error:
        if error.args[0].code() in NO_COORDINATOR_YET:
            return False
        raise
    return True


def _controller_port(bootstrap: str) -> int:
    """The other port of the process that listens on the broker's."""
    port = int(bootstrap.rpartition(":")[2])
    listening = {
        (c.pid, c.laddr[1])
        for c in psutil.net_connections("tcp")
        if c.status == psutil.CONN_LISTEN and c.laddr
    }
    (pid,) = {pid for pid, found in listening if found == port}
    (controller,) = {found for other, found in listening if other == pid} - {port}
    return int(controller)
