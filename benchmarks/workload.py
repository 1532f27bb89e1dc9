"""Workload: the telemetry that every stream benchmark reads, and the rule that watches it.

10,000 series of one metric, a sample a second each, as native JSON of 103 bytes; normal noise around a level of its
own, and one sample in 5,000 far outside. A function of the seed and the start alone.

The rules are a z-score of each sample against the exact running mean and variance of its series so far, and every ten
seconds the mean of each series over the last ten.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from schemas.config import Config
from schemas.config.kafka import KafkaConfig
from schemas.config.source import SourceConfig
from schemas.errors import ConfigError
from streams.rules.load import parse_rules
from streams.rules.rule import RuleGroup

SERIES = 10_000
PARTITIONS = 4
METRIC = "request_latency_ms"
SAMPLE_BYTES = 103
NOISE = 5.0
SPIKE = 100.0
ONE_SPIKE_IN = 5_000
PART = 100_000
"""Samples drawn at once."""

WINDOW_SECONDS = 10
HIGH_MEAN = 505.0
"""Above the highest level by more than the noise of a mean of ten: a spike brings the highest series over it."""
WARM_UP_SAMPLES = 20
TAIL = 1e-6
"""Tail probability of a normal law that makes an alert: about 4.9 standard deviations."""

RULES = f"""
groups:
  - name: benchmark
    interval: 1s
    rules:
      - alert: RequestTimeOdd
        expr: {METRIC}
        evaluate: on_arrival
        detect:
          detector: gaussian
          warm_up_samples: {WARM_UP_SAMPLES}
          # one false alarm in a million samples of a second each
          false_alarms: 1 per 1000000s
          # the peers learn every sample, so it does too
          relearn_after: 0s
  - name: means
    interval: {WINDOW_SECONDS}s
    rules:
      - alert: RequestTimeHigh
        expr: avg_over_time({METRIC}[{WINDOW_SECONDS}s]) > {HIGH_MEAN}
"""


class Message(NamedTuple):
    """A record as it is produced; samples of one service always go to one partition, as `keyed: true` asks."""

    partition: int
    key: bytes
    value: bytes
    time_ms: int


def messages(
    count: int, start_ms: int, seed: int = 1, series: int | None = None
) -> Iterator[Message]:
    """The first `count` messages, of all series or so many."""
    series = series or SERIES
    draw = np.random.default_rng(seed)
    names = [f"service-{n:04d}".encode() for n in range(series)]
    levels = draw.uniform(200.0, 500.0, series)
    for first in range(0, count, PART):
        at = np.arange(first, first + PART)
        row = at % series
        values = levels[row] + draw.normal(0.0, NOISE, PART)
        values[draw.random(PART) < 1 / ONE_SPIKE_IN] += SPIKE
        times = start_ms + at // series * 1000 + row * 1000 // series
        for n, value, time_ms in zip(
            row[: count - first].tolist(), values.tolist(), times.tolist(), strict=False
        ):
            yield Message(n % PARTITIONS, names[n], encode(time_ms, value, names[n]), time_ms)


def encode(time_ms: int, value: float, service: bytes) -> bytes:
    """One sample as native JSON."""
    return b'{"ts":%d,"metric":"%b","value":%.4f,"labels":{"service":"%b"}}' % (
        time_ms,
        METRIC.encode(),
        value,
        service,
    )


def rules(text: str = RULES) -> list[RuleGroup]:
    """The rule groups of a rule file's text.

    Raises:
        ConfigError: a rule has a fault.

    """
    groups, faults = parse_rules(text, "benchmark.yml")
    if faults:
        raise ConfigError(faults)
    return groups


def config(topic: str, *, keyed: bool, partitions: int = PARTITIONS, prefix: str = "") -> Config:
    """Configuration of our workers."""
    return Config(
        kafka=KafkaConfig(partitions=partitions, prefix=prefix),
        sources=(SourceConfig(topic=topic, keyed=keyed),),
    )
