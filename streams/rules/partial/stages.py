"""Which stage of the rules an engine evaluates: all of each rule, the first stage of the wide ones, or the second."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from streams.rules.partial.merged import Senders


@dataclass(frozen=True)
class First:
    """A detect partition: local rules, and the cuts of those that are wider than the locality."""

    locality: Sequence[str]


@dataclass(frozen=True)
class Second:
    """The rules that are wider than the locality, over what the detect partitions have sent."""

    locality: Sequence[str]
    senders: Senders


Part: TypeAlias = First | Second | None
"""None: one partition sees everything, and every rule is evaluated at once."""
