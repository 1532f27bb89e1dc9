"""RANK: the likely causes of an incident from a wide table of metrics, for an analyst; pure, without Kafka."""

from streams.rank.ranking import rank
from streams.rank.table import Column, Table

__all__ = ["Column", "Table", "rank"]
