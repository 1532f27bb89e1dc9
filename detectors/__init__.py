"""What is abnormal: vectorised online detectors, their calibration, and thresholds. No Kafka, clock or alert."""

from detectors.base import Detector, Reason, Scores
from detectors.calibrate import threshold_for
from detectors.registry import create, describe, names, parameters

__all__ = [
    "Detector",
    "Reason",
    "Scores",
    "create",
    "describe",
    "names",
    "parameters",
    "threshold_for",
]
