"""Numbers: which detect partitions there are, and what each calls itself in its alerts and ticks."""

from schemas.config import Config
from streams.detect.arrived import Source


def expected_sources(config: Config) -> list[Source]:
    """Every partition of every source that ingest reads for detect."""
    unkeyed = [s.topic for s in config.sources if not s.keyed]
    return [(topic, p) for topic in unkeyed for p in range(config.kafka.partitions)]


def detect_sources(config: Config) -> int:
    """How many detect partitions there are, fused ones included."""
    fused = sum(s.keyed for s in config.sources)
    two_hop = any(not s.keyed for s in config.sources)
    return (fused + two_hop) * config.kafka.partitions


def fused_number(config: Config, topic: str, partition: int) -> int:
    """Number of a fused detect partition: after those of tocsin.samples."""
    keyed = [s.topic for s in config.sources if s.keyed]
    first = any(not s.keyed for s in config.sources)
    return (first + keyed.index(topic)) * config.kafka.partitions + partition


def alert_sources(config: Config, *, second_stage: bool) -> int:
    """How many there are that send alerts: detect partitions, and those of the second stage if there is one."""
    return detect_sources(config) + second_stage * config.kafka.partitions
