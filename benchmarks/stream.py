"""Stream: samples at a steady rate from series that are replaced bit by bit, sent by a process of its own.

Of 10,000 series one per cent falls silent each minute and as many new ones begin, so after some time each name has
been seen for the last time. Ten times a minute a sample is far outside. Run as a module, it is the process that sends.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import Popen

import numpy as np
from confluent_kafka import Producer

from benchmarks import workload
from benchmarks.node import QUIET
from streams.time.clock import WallClock

NEW_A_MINUTE = 0.01
STEP_SECONDS = 0.02
ODD_SECONDS = 6.0
LAST_SECONDS = 30.0


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


def names(number: int, first: int) -> bytes:
    """Name of the service of a series; `first` is how many have fallen silent by now."""
    return b"service-%06d" % (first + number % workload.SERIES)


def send(bootstrap: str, topic: str, per_second: int, seconds: float) -> None:
    """Send each sample at its time, or as soon after it as may be."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 1_000_000}
        | QUIET
    )
    draw = np.random.default_rng(1)
    began, sent, odd = time.perf_counter(), 0, 0
    while (elapsed := time.perf_counter() - began) < seconds:
        first = int(elapsed / 60 * NEW_A_MINUTE * workload.SERIES)
        now_ms = WallClock().now_ms()
        due = int(elapsed * per_second)
        values = draw.normal(300.0, workload.NOISE, due - sent)
        if elapsed >= (odd + 1) * ODD_SECONDS and len(values):
            odd += 1
            values[0] += 4 * workload.SPIKE
        for value in values.tolist():
            key = names(sent, first)
            partition = (first + sent % workload.SERIES) % workload.PARTITIONS
            producer.produce(topic, workload.encode(now_ms, value, key), key, partition)
            sent += 1
        producer.poll(0)
        time.sleep(STEP_SECONDS)
    producer.flush(LAST_SECONDS)


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
