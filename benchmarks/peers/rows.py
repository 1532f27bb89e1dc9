"""Peers: messages per second of one core that other engines do the same job at, from the same real Kafka.

Each peer reads a topic to its end in a process of its own, one after the other. What it comes to is held against what
the messages themselves come to. A peer that did another job, that broke or that cannot be had has a row that says so.
"""

import tempfile
from collections.abc import Collection, Iterable, Iterator

from benchmarks import workload
from benchmarks.measure import Repeated
from benchmarks.node import Node
from benchmarks.peers import engine
from benchmarks.peers.catalogue import PEERS, Course, Peer
from benchmarks.peers.expected import Written, differences
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from deploy.kafka.jars import UnavailableError

UNIT = "messages/s/core"
PAST_MS = 7_200_000
"""The telemetry begins this long ago: it ends before now, and no retention removes it."""


def measure(
    setting: Setting,
    node: Node,
    command: str,
    *,
    only: Collection[str] = (),
    repeats: int = 1,
) -> Iterator[Row]:
    """A row a peer, with its figure.

    Args:
        setting: of the run.
        node: where the topics are made and filled.
        command: what measures it again.
        only: names of peers; empty for all.
        repeats: runs of each peer, of which the median counts.

    """
    run = _Run(setting, node, repeats)
    for peer in PEERS:
        if only and peer.name not in only:
            continue
        try:
            its = run.measure(peer).per_core_second
        except UnavailableError as error:
            yield _missing(setting, peer, "skipped", str(error), command)
        except RuntimeError as error:
            yield _missing(setting, peer, "failed", str(error), command)
        else:
            yield Row(_name(peer), its, UNIT, command)


class _Run:
    """One run over all peers: a topic is written once for all that read as much."""

    def __init__(self, setting: Setting, node: Node, repeats: int) -> None:
        self._setting, self._node, self._repeats = setting, node, repeats
        self._expected: dict[Course, dict[str, int]] = {}

    def measure(self, peer: Peer) -> Repeated:
        """What a peer reports.

        Raises:
            UnavailableError: its engine cannot be had.
            RuntimeError: it broke, or came to other results.

        """
        course = peer.courses[self._setting.quick]
        topic = f"benchmark-peers-{course.messages}"
        # what it runs in comes first: nobody waits for a topic that nobody reads
        peer.prefix()
        if course not in self._expected:
            self._expected[course] = self._fill(topic, course)
        found = Repeated()
        for number in range(self._repeats):
            name = f"peer-{peer.name}-{number}"
            with tempfile.TemporaryDirectory(prefix="tocsin-peer-") as folder:
                command = peer.command(self._node.bootstrap, topic, name, folder, course)
                measured = engine.measured(command)
            wrong = differences(self._expected[course], measured.notes) if peer.does_job else []
            if wrong:
                raise RuntimeError(f"other results: {', '.join(wrong)}")
            rate, wall = measured.per_core_second, measured.per_second
            self._setting.say(
                f"peers: {peer.name}: {rate:,.0f} {UNIT}, {wall:,.0f}/s, {measured.notes}"
            )
            found.append(measured)
        return found

    def _fill(self, topic: str, course: Course) -> dict[str, int]:
        self._setting.say(f"peers: writing {course.messages:,} messages")
        written = Written()
        self._node.create(topic)
        messages = workload.messages(course.messages, self._setting.now_ms - PAST_MS)
        self._node.fill(topic, written.watch(messages))
        return written.checksums()


def compare(ours: float, rows: Iterable[Row], command: str) -> Iterator[Row]:
    """Our figure, in messages per second of one core, against each peer's of the same run, with the goals.

    Where a peer gave no figure there is no ratio, and a goal is missed.
    """
    found = {row.name: row for row in rows}
    for peer in PEERS:
        row = found.get(_name(peer))
        if row is None:
            continue
        its = row.value if row.unit == UNIT else None
        against = peer.about if its is not None else f"{peer.about}: {row.unit}"
        goal = None if peer.goal is None else Goal("ratio", ">=", peer.goal)
        yield Row(f"throughput.over_{peer.name}", ours, UNIT, command, against, its, goal)


def _missing(setting: Setting, peer: Peer, verdict: str, why: str, command: str) -> Row:
    setting.say(f"peers: {peer.name}: {verdict.upper()}: {why}")
    return Row(_name(peer), 0.0, verdict, command, f"{peer.about}: {why.splitlines()[-1]}")


def _name(peer: Peer) -> str:
    return f"peers.{peer.name}"
