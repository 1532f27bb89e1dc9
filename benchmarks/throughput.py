"""Throughput: messages per second of one core, from a real Kafka to alerts on a topic, against the same job elsewhere.

All runs read one topic, each in a process of its own, one after the other.
"""

from collections.abc import Callable, Iterator

from benchmarks import workload
from benchmarks.measure import Measured, Repeated, measured_in_process
from benchmarks.node import Node
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from schemas.topics import DEAD_LETTERS, outer_name

TELEMETRY = "benchmark-telemetry"
PEER_ALERTS = "benchmark-peer-alerts"
PAST_MS = 7_200_000
"""The telemetry begins this long ago: it ends before now, and no retention removes it."""
FAUST = "Faust and river, the same job"
UNIT = "messages/s/core"


def measure(setting: Setting, node: Node, command: str) -> Iterator[Row]:
    """Rows of the benchmark."""
    count = 600_000 if setting.quick else 2_000_000
    peer_count = 60_000 if setting.quick else 110_000
    repeats = 1 if setting.quick else 3
    node.create(TELEMETRY, PEER_ALERTS)
    setting.say(f"throughput: writing {count:,} messages")
    node.fill(TELEMETRY, workload.messages(count, setting.now_ms - PAST_MS))

    def repeated(what: str, run: Callable[[str], Measured]) -> Repeated:
        found = Repeated()
        for number in range(repeats):
            found.append(run(f"{what}-{number}-"))
            rate, notes = found[-1].per_core_second, found[-1].notes
            setting.say(f"throughput: {what}: {rate:,.0f} {UNIT}, {notes}")
        return found

    fused = repeated("fused", lambda prefix: _ours(node, count, prefix, "--fused"))
    two_hops = repeated("two-hops", lambda prefix: _ours(node, count, prefix))
    peer = repeated("faust", lambda prefix: _peer(node, peer_count, f"{prefix}peer"))
    yield Row(
        "throughput.fused",
        fused.per_core_second,
        UNIT,
        command,
        FAUST,
        peer.per_core_second,
        Goal("ratio", ">=", 20.0),
    )
    yield Row(
        "throughput.two_hops",
        two_hops.per_core_second,
        UNIT,
        command,
        FAUST,
        peer.per_core_second,
    )
    yield Row("throughput.fused_wall", fused.per_second, "messages/s", command)
    yield Row("throughput.two_hops_wall", two_hops.per_second, "messages/s", command)


def _ours(node: Node, count: int, prefix: str, *options: str) -> Measured:
    node.create(prefix=prefix)
    arguments = ["--broker", node.bootstrap, "--topic", TELEMETRY, "--prefix", prefix, *options]
    arguments += ["--warm-up", str(count // 10), "--messages", str(count)]
    measured = measured_in_process("benchmarks.worker", arguments)
    if refused := node.count(outer_name(DEAD_LETTERS, prefix)):
        raise RuntimeError(f"{refused} samples were refused: not the same job")
    if not measured.notes["checkpoints"]:
        raise RuntimeError("the run was over before its first checkpoint: too few messages")
    return measured


def _peer(node: Node, count: int, name: str) -> Measured:
    arguments = ["--name", name, "--broker", node.bootstrap]
    arguments += ["--topic", TELEMETRY, "--alerts", PEER_ALERTS]
    arguments += ["--warm-up", str(count // 10), "--messages", str(count)]
    return measured_in_process("benchmarks.peers.faust_river", arguments)
