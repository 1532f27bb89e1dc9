"""Catalogue: every peer, the form that it runs in, how much it reads, and by how much we mean to be faster."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from benchmarks.peers.engine import java_of, own_python, python_of


class Course(NamedTuple):
    """How many messages are warm-up, and how many there are in all."""

    warm_up: int
    messages: int


SLOW = (Course(30_000, 300_000), Course(6_000, 60_000))
USUAL = (Course(200_000, 2_000_000), Course(40_000, 400_000))
JIT = (Course(5_000_000, 7_000_000), Course(500_000, 1_000_000))
"""Java gets faster for some millions of messages."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to do the job.

    Attributes:
        name: of its row.
        about: engine and form.
        courses: of a full run, and of a quick one.
        prefix: the command that runs it, without arguments; UnavailableError where its engine cannot be had.
        form: of several that it can take.
        goal: least ratio of our figure to its.
        does_job: False for a bare fetch, which has no results to compare.

    """

    name: str
    about: str
    courses: tuple[Course, Course]
    prefix: Callable[[], list[str]]
    form: str | None = None
    goal: float | None = None
    does_job: bool = True

    def command(self, broker: str, topic: str, name: str, folder: str, course: Course) -> list[str]:
        """The command that reads a topic, in a consumer group of this name, with this folder for its state."""
        told = ["--broker", broker, "--topic", topic, "--name", name, "--folder", folder]
        told += ["--warm-up", str(course.warm_up), "--messages", str(course.messages)]
        form = [] if self.form is None else ["--form", self.form]
        return [*self.prefix(), *told, *form]


FAUST = partial(own_python, "faust_agent")
RIVER = partial(own_python, "faust_river")
BARE = partial(own_python, "bare")
QUIX = partial(python_of, "quix")
BYTEWAX = partial(python_of, "bytewax")
STREAMS = partial(java_of, "kafka_streams")
FLINK = partial(java_of, "flink")

PEERS = (
    Peer("faust", "Faust", SLOW, FAUST),
    Peer("faust_river", "Faust, river", SLOW, RIVER, goal=50.0),
    Peer("quix_state", "Quix, RocksDB", USUAL, QUIX, "state", goal=6.0),
    Peer("quix_dict", "Quix, dict", USUAL, QUIX, "dict"),
    Peer("bytewax_state", "Bytewax, its state", USUAL, BYTEWAX, "state", goal=2.5),
    Peer("bytewax_batched", "Bytewax, by hand", USUAL, BYTEWAX, "batched"),
    Peer("kafka_streams_rocksdb", "Kafka Streams, RocksDB", JIT, STREAMS, "rocksdb"),
    Peer("kafka_streams_memory", "Kafka Streams, memory", JIT, STREAMS, "memory", goal=1.6),
    Peer("kafka_streams_unlogged", "Kafka Streams, no changelog", JIT, STREAMS, "unlogged"),
    Peer("flink", "Flink, keyBy", JIT, FLINK, "keyed", goal=1.1),
    Peer("flink_chained", "Flink, no exchange", JIT, FLINK, "chained"),
    Peer("aiokafka", "bare aiokafka", USUAL, BARE, "aiokafka", goal=0.7, does_job=False),
    Peer("confluent", "bare confluent", USUAL, BARE, "confluent", does_job=False),
)
NAMES = tuple(peer.name for peer in PEERS)
