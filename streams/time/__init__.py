"""Time: the one reader of the wall clock."""

from streams.time.clock import Clock, ManualClock, WallClock

__all__ = ["Clock", "ManualClock", "WallClock"]
