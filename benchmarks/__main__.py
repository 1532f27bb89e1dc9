"""`python -m benchmarks [NAME...]`: measure, print one table, write the same rows to benchmarks/results.json.

A goal that is missed is no failure: the row says so. What cannot be measured (no Java, workers that end) is one.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from benchmarks import (
    backpressure,
    batched,
    cardinality,
    catch_up,
    checkpoints,
    churn,
    codec,
    detector,
    formats,
    incidents,
    latency,
    otlp,
    recovery,
    remote_write,
    rescale,
    rules,
    scaling,
    soak,
    tenants,
    throughput,
)
from benchmarks.node import Node, running_node
from benchmarks.row import Row
from benchmarks.setting import Setting
from benchmarks.table import as_json, show, write_json
from deploy.kafka.jars import UnavailableError
from streams.time.clock import WallClock

RESULTS = Path(__file__).with_name("results.json")
WIDTH = 180
"""Of the table where nobody says how wide the screen is."""

IN_PROCESS: dict[str, Callable[[Setting, str], Iterator[Row]]] = {
    "codec": lambda setting, command: codec.measure(setting.seconds, command),
    "detector": lambda setting, command: detector.measure(setting.seconds, command),
    "batched": lambda setting, command: batched.measure(setting.seconds, command),
    "tenants": lambda setting, command: tenants.measure(setting.seconds, command),
    "otlp": lambda setting, command: otlp.measure(setting.seconds, command),
    "remote_write": lambda setting, command: remote_write.measure(setting.seconds, command),
    "formats": lambda setting, command: formats.measure(setting.seconds, command),
    "incidents": lambda _, command: incidents.measure(command),
    "cardinality": cardinality.measure,
    "churn": churn.measure,
    "rules": rules.measure,
    "checkpoints": checkpoints.measure,
}
ON_KAFKA: dict[str, Callable[[Setting, Node, str], Iterator[Row]]] = {
    "throughput": throughput.measure,
    "latency": latency.measure,
    "scaling": scaling.measure,
    "backpressure": backpressure.measure,
    "recovery": recovery.measure,
    "rescale": rescale.measure,
    "catch_up": catch_up.measure,
    "soak": soak.measure,
}
ASKED_FOR = {"soak"}
"""These take so long that they are run only when they are named."""
MODULES = (
    codec,
    detector,
    batched,
    tenants,
    otlp,
    remote_write,
    formats,
    incidents,
    cardinality,
    churn,
    rules,
    checkpoints,
    throughput,
    latency,
    scaling,
    backpressure,
    recovery,
    rescale,
    catch_up,
    soak,
)
ABOUT = {module.__name__.rpartition(".")[2]: module.__doc__ for module in MODULES}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are named, or all; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of {', '.join(ABOUT)}; default: all but {', '.join(ASKED_FOR)}",
    )
    parser.add_argument(
        "--list", action="store_true", help="say what there is, and measure nothing"
    )
    parser.add_argument("--quick", action="store_true", help="fewer messages, each figure once")
    parser.add_argument("--minutes", type=float, default=30.0, help="of the soak")
    parser.add_argument(
        "--per-second", type=int, default=0, help="messages of the soak; 0: half of full speed"
    )
    parser.add_argument("--output", choices=["table", "json"], default="table")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in ABOUT]
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(ABOUT)}")
    if given.list:
        for name, about in ABOUT.items():
            print(f"{name:14}{str(about).splitlines()[0]}")
        return 0
    setting = Setting(
        given.quick, WallClock().now_ms(), _say, minutes=given.minutes, per_second=given.per_second
    )
    began = time.perf_counter()
    try:
        rows = run(given.names or [name for name in ABOUT if name not in ASKED_FOR], setting)
    except UnavailableError as error:
        _say(f"no real Kafka, nothing measured: {error}")
        return 1
    _say(f"done in {time.perf_counter() - began:.0f} s, written to {RESULTS.name}")
    write_json(rows, RESULTS, list(ABOUT))
    if given.output == "json":
        print(as_json(rows), end="")
    else:
        console = Console()
        show(rows, console if console.is_terminal else Console(width=WIDTH))
    return 0


def run(names: Sequence[str], setting: Setting) -> list[Row]:
    """Measure; the rows in the order of the names."""
    rows: list[Row] = []
    with ExitStack() as stack:
        node: Node | None = None
        for name in names:
            command = f"make bench ARGS={name}"
            if name in IN_PROCESS:
                setting.say(name)
                rows += IN_PROCESS[name](setting, command)
                continue
            if node is None:
                setting.say("starting Kafka")
                node = stack.enter_context(running_node())
            rows += ON_KAFKA[name](setting, node, command)
    return rows


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
