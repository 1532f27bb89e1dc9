"""The command behind `make kafka` and `make kafka-stop`: `python3 -m deploy.kafka start|stop|status|wait`.

Needs nothing but Python's standard library. Exit codes: 0 done, 1 failed, 3 not running (status, wait).
"""

import argparse
import sys
from pathlib import Path

from deploy.kafka.broker import KafkaError, UnavailableError, start, status, stop, wait
from deploy.kafka.probe import HOST

NOT_RUNNING = 3


def main(arguments: list[str] | None = None) -> int:
    """Do one command; the result is the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m deploy.kafka", description=__doc__)
    parser.add_argument("command", choices=["start", "stop", "status", "wait"])
    parser.add_argument(
        "--port", type=int, default=9092, help="of the broker; the controller takes the next"
    )
    parser.add_argument("--dir", type=Path, default=Path(".kafka"), help="jars, data and log")
    options = parser.parse_args(arguments)
    try:
        return _COMMANDS[options.command](options.dir, options.port)
    except (KafkaError, UnavailableError) as error:
        print(f"kafka: {error}", file=sys.stderr)
        return 1


def _start(home: Path, port: int) -> int:
    fresh = start(home, port)
    print(f"kafka: {'started' if fresh else 'running already'}, answers at {HOST}:{port}")
    return 0


def _stop(home: Path, _port: int) -> int:
    print(f"kafka: {'stopped' if stop(home) else 'was not running'}")
    return 0


def _status(home: Path, _port: int) -> int:
    running = status(home)
    if running is None:
        print("kafka: not running")
        return NOT_RUNNING
    print(f"kafka: process {running.pid}, port {running.port}")
    return 0


def _wait(_home: Path, port: int) -> int:
    if wait(port):
        return 0
    print(f"kafka: nothing answers at {HOST}:{port}", file=sys.stderr)
    return NOT_RUNNING


_COMMANDS = {"start": _start, "stop": _stop, "status": _status, "wait": _wait}

if __name__ == "__main__":
    sys.exit(main())
