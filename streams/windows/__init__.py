"""The samples that rules look back on: series as columns, windows over them, and sums over ragged stretches."""

from streams.windows.arena import Windows
from streams.windows.series import Instant, SeriesStore

__all__ = ["Instant", "SeriesStore", "Windows"]
