"""Throughput: messages per second of one core, from a real Kafka to alerts on a topic, against the same job elsewhere.

All runs read one topic, each in a process of its own, one after the other.
"""

from collections.abc import Iterator

from benchmarks import workload
from benchmarks.measure import Measured, Repeated, measured_in_process
from benchmarks.node import Node
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from schemas.topics import DEAD_LETTERS

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
    setting.say("throughput: fused")
    fused = Repeated.run(repeats, lambda: _ours(node, count, "--fused"))
    setting.say("throughput: two hops")
    two_hops = Repeated.run(repeats, lambda: _ours(node, count))
    setting.say("throughput: Faust and river")
    peers = [_peer(node, peer_count, number) for number in range(repeats)]
    peer = Repeated(peers).per_core_second
    yield Row(
        "throughput.fused",
        fused.per_core_second,
        UNIT,
        command,
        FAUST,
        peer,
        Goal("ratio", ">=", 20.0),
    )
    yield Row("throughput.two_hops", two_hops.per_core_second, UNIT, command, FAUST, peer)
    yield Row("throughput.fused_wall", fused.per_second, "messages/s", command)
    yield Row("throughput.two_hops_wall", two_hops.per_second, "messages/s", command)


def _ours(node: Node, count: int, *options: str) -> Measured:
    arguments = ["--broker", node.bootstrap, "--topic", TELEMETRY, *options]
    arguments += ["--warm-up", str(count // 10), "--messages", str(count)]
    measured = measured_in_process("benchmarks.worker", arguments)
    held = node.forget()
    if held[DEAD_LETTERS]:
        raise RuntimeError(f"{held[DEAD_LETTERS]} samples were refused: not the same job")
    if not measured.notes["checkpoints"]:
        raise RuntimeError("the run was over before its first checkpoint: too few messages")
    return measured


def _peer(node: Node, count: int, number: int) -> Measured:
    arguments = ["--name", f"benchmark-peer-{number}", "--broker", node.bootstrap]
    arguments += ["--topic", TELEMETRY, "--alerts", PEER_ALERTS]
    arguments += ["--warm-up", str(count // 10), "--messages", str(count)]
    return measured_in_process("benchmarks.peers.faust_river", arguments)
