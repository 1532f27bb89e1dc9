"""`python -m benchmarks.peers [--only NAME]`: measure the peers, print one table. Exit code 1 if one gave no figure."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console

from benchmarks.node import running_node
from benchmarks.peers.catalogue import NAMES
from benchmarks.peers.rows import UNIT, measure
from benchmarks.setting import Setting
from benchmarks.table import show
from deploy.kafka.jars import UnavailableError
from streams.time.clock import WallClock

WIDTH = 180


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the peers that are named, or all; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=[], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="fewer messages, less warm-up")
    parser.add_argument("--repeats", type=int, default=1, help="of which the median counts")
    given = parser.parse_args(arguments)
    setting = Setting(given.quick, WallClock().now_ms(), _say)
    command = "python -m benchmarks.peers"
    try:
        with running_node() as node:
            rows = list(measure(setting, node, command, only=given.only, repeats=given.repeats))
    except UnavailableError as error:
        _say(f"no real Kafka, nothing measured: {error}")
        return 1
    console = Console()
    show(rows, console if console.is_terminal else Console(width=WIDTH))
    return int(any(row.unit != UNIT for row in rows))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
