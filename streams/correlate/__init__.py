"""CORRELATE: alerts of many partitions in the order of time to deduplicated incidents with a cause."""

from streams.correlate.correlator import Correlator
from streams.correlate.stage import CorrelateStage

__all__ = ["CorrelateStage", "Correlator"]
