"""Throughput: messages per second of one core, from a real Kafka to alerts on a topic, against the same job elsewhere.

All runs read the same telemetry, each in a process of its own, one after the other: ours with one hop and with two, the
engines of `peers` each in the best form that its documentation shows. Their rows say how many times as many we do.
"""

from collections.abc import Callable, Iterator

from benchmarks import workload
from benchmarks.measure import Measured, Repeated, measured_in_process
from benchmarks.node import Node
from benchmarks.peers import rows as peers
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from schemas.topics import DEAD_LETTERS, outer_name

TELEMETRY = "benchmark-telemetry"
PAST_MS = 7_200_000
"""The telemetry begins this long ago: it ends before now, and no retention removes it."""
UNIT = "messages/s/core"


def measure(setting: Setting, node: Node, command: str) -> Iterator[Row]:
    """Rows of the benchmark."""
    count = 1_000_000 if setting.quick else 7_000_000
    repeats = 1 if setting.quick else 3
    node.create(TELEMETRY)
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
    ours = fused.per_core_second
    goal = Goal("ratio", ">=", 0.75)
    yield Row("throughput.fused", ours, UNIT, command)
    yield Row("throughput.two_hops", two_hops.per_core_second, UNIT, command, "fused", ours, goal)
    yield Row("throughput.fused_wall", fused.per_second, "messages/s", command)
    yield Row("throughput.two_hops_wall", two_hops.per_second, "messages/s", command)
    yield from peers.compare(ours, list(peers.measure(setting, node, command)), command)


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
