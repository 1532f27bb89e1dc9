"""Auto: the default detector, four views of a series and one calibrated voice."""

from detectors.auto.auto import Auto, AutoSettings

__all__ = ["Auto", "AutoSettings"]
