"""Speaking: how long the detectors of rules must have seen a series until they may speak of it.

Refuses nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import click

from detectors import registry
from schemas.config.section import format_duration
from streams.cli.tables import count
from streams.rules.rule import RuleGroup
from streams.rules.waiting import warm_up

MOST_ROWS = 20


class Speaking(NamedTuple):
    """One rule with a detector.

    Attributes:
        rule: its name.
        detector: the detector's.
        samples: evaluations of a series until it may be spoken of.
        wait_ms: the same as time.
        learnt: series that begin with what was learnt from history.

    """

    rule: str
    detector: str
    samples: int
    wait_ms: int
    learnt: int


def find_speaking(groups: Iterable[RuleGroup]) -> Iterator[Speaking]:
    """Every rule with a detector, in order."""
    for rule in (rule for group in groups for rule in group.rules):
        if rule.detect is not None:
            block = rule.detect
            samples = warm_up(registry.create(block.detector, block.parameters))
            learnt = 0 if block.learnt is None else len(block.learnt)
            wait_ms = samples * rule.interval_ms
            yield Speaking(rule.name, block.detector, samples, wait_ms, learnt)


def tell(found: Sequence[Speaking]) -> None:
    """One line a rule."""
    for each in found[:MOST_ROWS]:
        known = f"; {each.learnt} series known from history" if each.learnt else ""
        click.echo(
            f"{each.rule}: {each.detector} speaks of a new series after {count(each.samples, 'evaluation')}, "
            f"{format_duration(each.wait_ms)}{known}"
        )
    if len(found) > MOST_ROWS:
        click.echo(f"and {count(len(found) - MOST_ROWS, 'rule')} with a detector more")
