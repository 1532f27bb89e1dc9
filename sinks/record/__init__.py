"""History: incidents with all that was said and done about them, for the console and the command line."""

from sinks.record.sqlite import History, HistoryError, IncidentHistory
from sinks.record.text import Block, describe, to_lines

__all__ = ["Block", "History", "HistoryError", "IncidentHistory", "describe", "to_lines"]
