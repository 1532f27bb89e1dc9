"""Several Kafka nodes on this machine, for tests that take nodes away: each can be killed, frozen, stopped, started.

Every node has two doors: one for its peers and for whoever looks on, one whose advertised address the caller chooses,
so that a proxy can stand before it.
Invariant: signals go to the Java process that this cluster started, and to nobody else.
"""

import os
import signal
import string
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploy.kafka.broker import (
    POLL_SECONDS,
    START_SECONDS,
    STOP_SECONDS,
    KafkaError,
    kill_session,
    launch_guarded,
    prepare,
)
from deploy.kafka.probe import HOST, answers, brokers
from deploy.ports import free_ports

TEMPLATE = Path(__file__).with_name("cluster.properties")
FLAGS = ("-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""A node that lives for minutes beside two others gains nothing from the slower compiler."""


class Node:
    """One node; `port` is its plain door, `front_port` the one behind the advertised address."""

    def __init__(
        self, home: Path, libs: Path, properties: str, data: Path, ports: tuple[int, int]
    ) -> None:
        self.home = home
        self.data = data
        self.port, self.front_port = ports
        self._libs = libs
        self._properties = properties
        self._command: list[str] = []
        self._guard: subprocess.Popen[bytes] | None = None
        self._starts = 0

    def format(self) -> None:
        """Make its storage, unless that is there."""
        self._command = prepare(self.home, self._libs, self.data, self._properties, FLAGS)

    def start(self) -> None:
        """Start it, unless it runs; does not wait for it to answer."""
        if self.running:
            return
        log = self.home / "kafka.log"
        if log.exists():
            log.rename(self.home / f"kafka-{self._starts}.log")
        self._starts += 1
        self._guard = launch_guarded(self._command, self.home)

    @property
    def running(self) -> bool:
        """Whether its process lives, frozen or not."""
        return self._guard is not None and self._guard.poll() is None

    @property
    def answers(self) -> bool:
        """Whether it serves clients."""
        return self.running and answers(self.port)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to its Java process; nothing where it has ended."""
        for pid in self._children():
            os.kill(pid, number)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._guard is not None:
            kill_session(self._guard)

    def stop(self) -> None:
        """Let it hand over its partitions and end; what takes too long is killed."""
        if self._guard is None:
            return
        self.send(signal.SIGTERM)
        try:
            self._guard.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def await_answer(self, known: int = 1) -> None:
        """Wait until it serves clients and knows of so many nodes.

        Raises:
            KafkaError: it ended, or took too long.

        """
        end = time.monotonic() + START_SECONDS
        while brokers(self.port) < known:
            if not self.running or time.monotonic() > end:
                raise KafkaError(f"the node on port {self.port} does not answer:\n{self._log()}")
            time.sleep(POLL_SECONDS)

    def _log(self) -> str:
        log = self.home / "kafka.log"
        return log.read_text(errors="replace")[-3_000:] if log.exists() else "it has no log"

    def _children(self) -> list[int]:
        if self._guard is None or self._guard.poll() is not None:
            return []
        children = Path(f"/proc/{self._guard.pid}/task/{self._guard.pid}/children")
        try:
            return [int(pid) for pid in children.read_text().split()]
        except FileNotFoundError:  # it ended between the look and the reading
            return []


@contextmanager
def passing_cluster(
    libs: Path, fronts: list[tuple[str, int]], disks: Mapping[int, Path] | None = None
) -> Iterator[list[Node]]:
    """Run as many nodes as there are fronts, and leave nothing behind; ends with this process.

    `fronts` are the address that each advertises behind its second door and that door's port; `disks` says which nodes,
    counted from 0, keep their data elsewhere.
    """
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-kafka-")))
        count = len(fronts)
        ports = free_ports(2 * count)
        voters = ",".join(f"{n + 1}@{HOST}:{ports[count + n]}" for n in range(count))
        nodes = []
        for n, (front, front_port) in enumerate(fronts):
            folder = home / f"node-{n + 1}"
            folder.mkdir()
            data = (disks or {}).get(n, folder) / "data"
            properties = string.Template(TEMPLATE.read_text()).substitute(
                NODE=n + 1,
                VOTERS=voters,
                PORT=ports[n],
                CONTROLLER_PORT=ports[count + n],
                FRONT_PORT=front_port,
                FRONT=front,
                DATA=data,
            )
            nodes.append(Node(folder, libs, properties, data, (ports[n], front_port)))
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(Node.format, nodes))
        for node in nodes:
            stack.callback(node.kill)
            node.start()
        for node in nodes:
            node.await_answer(count)
        yield nodes


__all__ = ["FLAGS", "Node", "passing_cluster"]
