"""Reload: the event that brings a running engine other rules, and how attempts to bring them ended.

Pure: who reads files, and when, is the command line's matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas.reasons import ReloadReason
from streams.rules.rule import RuleGroup


@dataclass(frozen=True)
class NewRules:
    """The rules from now on."""

    groups: Sequence[RuleGroup]


@dataclass
class Reloads:
    """Attempts since the start of the process.

    Attributes:
        counts: how many ended in which way.
        failed: whether the last one did, so that older rules than those in the files are at work.

    """

    counts: dict[ReloadReason, int] = field(default_factory=lambda: dict.fromkeys(ReloadReason, 0))
    failed: bool = False

    def note(self, reason: ReloadReason) -> None:
        """Count an attempt."""
        self.counts[reason] += 1
        self.failed = reason is ReloadReason.REFUSED
