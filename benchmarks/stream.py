"""Stream: samples at a steady rate from series that are replaced bit by bit, sent by a process of its own.

Of 10,000 series one per cent falls silent each minute and as many new ones begin, so after some time each name has
been seen for the last time. Ten times a minute a sample is far outside. Run as a module, it is the process that sends;
what there is of it before is sent as fast as may be.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import Popen

import numpy as np

from benchmarks import packed, workload
from schemas.samples import Float64s, Int64s
from streams.time.clock import WallClock

NEW_A_MINUTE = 0.01
STEP_SECONDS = 0.02
ODD_SECONDS = 6.0
LEVEL = 300.0


@contextmanager
def sending(bootstrap: str, topic: str, per_second: int, seconds: float) -> Iterator[Popen[bytes]]:
    """Send in a process of its own, which ends with the block at the latest.

    Raises:
        RuntimeError: it failed.

    """
    command = [sys.executable, "-m", "benchmarks.stream", "--broker", bootstrap, "--topic", topic]
    command += ["--per-second", str(per_second), "--seconds", str(seconds)]
    with Popen(command) as process:
        try:
            yield process
            if process.poll():
                raise RuntimeError(f"the sender ended with {process.returncode}")
        finally:
            process.kill()


def services(numbers: Int64s, first: int) -> Int64s:
    """Number of the service of each sample; `first` is how many have fallen silent by now."""
    return first + numbers % workload.SERIES


def send(bootstrap: str, topic: str, per_second: int, seconds: float) -> None:
    """Send each sample at its time, or as soon after it as may be."""
    draw = np.random.default_rng(1)
    began, sent, odd = time.perf_counter(), 0, 0
    with packed.Line(bootstrap, topic) as line:
        while (elapsed := time.perf_counter() - began) < seconds:
            first = int(elapsed / 60 * NEW_A_MINUTE * workload.SERIES)
            due = min(int(elapsed * per_second), sent + workload.SERIES)
            values = draw.normal(LEVEL, workload.NOISE, due - sent)
            if elapsed >= (odd + 1) * ODD_SECONDS and len(values):
                odd += 1
                values[0] += 4 * workload.SPIKE
            numbers = services(np.arange(sent, due), first)
            line.send(batches(WallClock().now_ms(), numbers, values))
            sent = due
            time.sleep(STEP_SECONDS)


def fill(bootstrap: str, topic: str, count: int, end_ms: int) -> None:
    """Send so many samples of the time before, one of each series in a second."""
    draw = np.random.default_rng(2)
    numbers = np.arange(workload.SERIES)
    with packed.Line(bootstrap, topic) as line:
        for second in range(-(count // workload.SERIES), 0):
            values = draw.normal(LEVEL, workload.NOISE, len(numbers))
            line.send(batches(end_ms + second * 1000, numbers, values))


def batches(time_ms: int, numbers: Int64s, values: Float64s) -> dict[int, bytes]:
    """The samples of these services, by partition."""
    found = {}
    for partition in range(workload.PARTITIONS):
        own = np.flatnonzero(numbers % workload.PARTITIONS == partition)
        if len(own):
            found[partition] = packed.batch(time_ms, numbers[own], values[own])
    return found


def main() -> None:
    """Send."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--per-second", required=True, type=int)
    parser.add_argument("--seconds", required=True, type=float)
    told = parser.parse_args()
    send(told.broker, told.topic, told.per_second, told.seconds)


if __name__ == "__main__":
    main()
