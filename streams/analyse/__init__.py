"""ANALYSE: detectors over files and columns for an analyst, in one online pass, without Kafka."""

from streams.analyse.answer import Detected, Summary
from streams.analyse.ask import ask
from streams.analyse.detect import detect
from streams.analyse.watch import Judged, Watch

__all__ = ["Detected", "Judged", "Summary", "Watch", "ask", "detect"]
