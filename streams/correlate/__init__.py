"""CORRELATE: alerts of many partitions in the order of time to deduplicated incidents with a cause."""

from streams.correlate.correlator import Correlator
from streams.correlate.forward import ForwardStage
from streams.correlate.intake import IntakeStage
from streams.correlate.stage import CorrelateStage

__all__ = ["CorrelateStage", "Correlator", "ForwardStage", "IntakeStage"]
