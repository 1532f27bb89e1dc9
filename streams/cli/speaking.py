"""Speaking: how long the detectors of rules must have seen a series until they may speak of it.

Refuses nothing.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import click

from schemas.config.section import format_duration
from streams.cli.tables import count
from streams.rules.grouped import GroupedRule, detect_rule, parts
from streams.rules.rule import RuleGroup

MOST_ROWS = 20


class Speaking(NamedTuple):
    """One rule with a detector.

    Attributes:
        rule: its name.
        detector: the detector's.
        what: what it speaks of, series or groups.
        samples: evaluations of a new one until it may be spoken of.
        wait_ms: the same as time.
        learnt: how many begin with what was learnt from history.

    """

    rule: str
    detector: str
    what: str
    samples: int
    wait_ms: int
    learnt: int


def find_speaking(groups: Iterable[RuleGroup]) -> Iterator[Speaking]:
    """Every rule with a detector, in order."""
    for rule in (rule for group in groups for rule in group.rules):
        if rule.detect is not None:
            block = rule.detect
            made = detect_rule(block, interval_ms=rule.interval_ms, max_series=1)
            wait_ms = sum(part.banks.first_wait(rule.interval_ms) for part in parts(made))
            samples = math.ceil(wait_ms / max(rule.interval_ms, 1))
            learnt = 0 if block.learnt is None else len(block.learnt)
            what = "group" if isinstance(made, GroupedRule) else "series"
            yield Speaking(rule.name, block.detector, what, samples, wait_ms, learnt)


def tell(found: Sequence[Speaking]) -> None:
    """One line a rule."""
    for each in found[:MOST_ROWS]:
        plural = "groups" if each.learnt > 1 and each.what == "group" else each.what
        known = f"; {each.learnt} {plural} known from history" if each.learnt else ""
        click.echo(
            f"{each.rule}: {each.detector} speaks of a new {each.what} after {count(each.samples, 'evaluation')}, "
            f"{format_duration(each.wait_ms)}{known}"
        )
    if len(found) > MOST_ROWS:
        click.echo(f"and {count(len(found) - MOST_ROWS, 'rule')} with a detector more")
