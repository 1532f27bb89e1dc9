"""Plan: a compiled expression, evaluated at ticks or on samples as they arrive.

A plan is pure apart from caches of label work and of panes that can always be rebuilt, so nothing of it is in a
checkpoint. What it keeps is bounded: inner label spaces are cleared when series that are gone outweigh those that are
there, panes go with their series; `space`, the numbering of its results' label sets, by whoever counts on its rows.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from schemas.errors import RuleError
from schemas.samples import Float64s, Int64s
from streams.rules.compile import SUBQUERY_STEP_MS, Compiler, Options
from streams.rules.node import Arrival, Moment, Node, VectorNode
from streams.rules.picks import Picks
from streams.rules.ranges import RangeCall
from streams.rules.selectors import EVER_MS, Selection, Selector
from streams.rules.subquery import Subquery
from streams.rules.vector import LabelSpace, Vector
from streams.windows.blocks import Bools
from streams.windows.histograms import Bag
from streams.windows.series import LOOKBACK_MS, SeriesStore


class Kept(StrEnum):
    """What is looked at of a series that a selector picks, at each evaluation."""

    LATEST = "latest sample"
    RUNNING = "running value"
    PANES = "panes"
    SAMPLES = "samples"


class Reading(NamedTuple):
    """A selector of a plan, what is looked at for it, and how often at each evaluation of the plan.

    `panes` is of how many panes a window is made where a series has enough samples, LEAST_SAMPLES of
    `streams.windows.panes` a pane; 0 where there are none.
    """

    selection: Selection
    kept: Kept
    times: int
    panes: int = 0


SPARE_ROWS = 1024
"""Inner label spaces may be this much longer than twice what is alive, so that small plans never clear."""


class Plan:
    """A compiled expression.

    Attributes:
        text: the expression.
        space: label sets of its results.
        selectors: what it reads.
        retention_ms: how much of the past it needs; tell the store by `retain`.
        reach_ms: how far back it looks; None where it has no selector of its own, or one for a fixed time.
        is_per_series: whether `evaluate_samples` works: one instant selector, functions and operators with constants.

    """

    def __init__(self, text: str, root: VectorNode, *, interval_ms: int = 0) -> None:
        """`interval_ms` is as in `compile_expression`."""
        self.text = text
        self.space: LabelSpace = root.space
        self.is_per_series = root.per_series
        self._root = root
        self._leaves = [node for node in root.walk() if isinstance(node, Selector)]
        self.selectors: tuple[Selection, ...] = tuple(leaf.selection for leaf in self._leaves)
        self.retention_ms = max((each.span_ms for each in self.selectors), default=0)
        known = bool(self.selectors) and self.retention_ms < EVER_MS
        self.reach_ms = self.retention_ms if known else None
        self._inner = [
            space for node in root.walk() for space in node.own_spaces if space is not root.space
        ]
        self._generation = -1
        if interval_ms:
            _take_panes(root, interval_ms)

    def evaluate(self, store: SeriesStore, t_ms: int) -> Vector:
        """The result at an event time, a scalar as one element; a histogram counts as 0, as an alert's value does.

        Raises:
            RuleError: the series at this time do not allow a result, as in Prometheus.

        """
        found, bag = self.evaluate_all(store, t_ms)
        mask = bag.mask(found.values)
        return found if mask is None else Vector(found.rows, np.where(mask, 0.0, found.values))

    def take_compared(self) -> Vector | None:
        """Of a comparison, also before `and` or `unless`: what was compared just now, rows of `space`; forget it."""
        found = self._root.compared
        for node in self._root.walk():
            if isinstance(node, VectorNode):
                node.compared = None
        return found

    def evaluate_all(self, store: SeriesStore, t_ms: int) -> tuple[Vector, Bag]:
        """The same, with histograms: values that name one, and the bag that knows them.

        Raises:
            RuleError: as `evaluate` does.

        """
        self._tidy(store)
        bag = Bag(store.bag)
        with np.errstate(all="ignore"):
            return self._root.evaluate(Moment(store, t_ms, store.tenants, t_ms, bag)), bag

    def evaluate_samples(
        self, store: SeriesStore, rows: Int64s, times: Int64s, values: Float64s
    ) -> tuple[Int64s, Vector]:
        """The samples (sorted by row and time) that have a result, by index, and their results; rows may repeat.

        Raises:
            RuleError: `is_per_series` is false, or two series come to the same label set.

        """
        if not self.is_per_series:
            raise RuleError(f"it needs more than the sample that arrives: {self.text.strip()}")
        self._tidy(store)
        with np.errstate(all="ignore"):
            return self._root.arrive(store, Arrival(rows, times, values))

    def picked(self, store: SeriesStore) -> Bools:
        """For each row of the store whether a selector of the plan picks it."""
        picked = np.zeros(len(store.born), np.bool_)
        for leaf in self._leaves:
            picked |= leaf.picked(store)
        return picked

    def readings(self) -> list[Reading]:
        """How each selector is read.

        A running value is kept up as samples come, and where its window begins is known from the last evaluation: it is
        what a look at all samples would find. Within subqueries and behind offsets windows do not move with the newest
        sample, so all of them are looked at. Panes are kept where nothing of that is so and the interval is known.
        """
        return list(_readings(self._root))

    def _tidy(self, store: SeriesStore) -> None:
        if store.generation == self._generation:
            return
        self._generation = store.generation
        # before they look, the leaves still hold the rows of series that have gone
        for leaf in self._leaves:
            leaf.refresh(store)
        alive = sum(len(leaf.pick.rows) for leaf in self._leaves) + len(store.tenants)
        for space in self._inner:
            if len(space) > 2 * alive + SPARE_ROWS:
                space.clear()


def _take_panes(node: Node, interval_ms: int) -> None:
    if isinstance(node, Subquery):
        return  # its steps are no ticks
    if isinstance(node, RangeCall):
        node.take_panes(interval_ms)
    for child in node.children:
        _take_panes(child, interval_ms)


def _readings(
    node: Node, *, times: int = 1, running: bool = False, panes: int = 0
) -> Iterator[Reading]:
    if isinstance(node, Selector):
        moves = times > 1 or node.selection.anchor.moves
        if not node.selection.range_ms:
            yield Reading(node.selection, Kept.LATEST, times)
        else:
            kept = Kept.RUNNING if running and not moves else Kept.SAMPLES
            yield Reading(node.selection, kept, times, panes)
    if isinstance(node, Subquery):
        times *= node.most_steps
    for child in node.children:
        call = node if isinstance(node, RangeCall) else None
        ends, made_of = (call.running, call.panes) if call is not None else (False, 0)
        yield from _readings(child, times=times, running=ends, panes=made_of)


def compile_expression(
    text: str,
    *,
    lookback_ms: int = LOOKBACK_MS,
    subquery_step_ms: int = SUBQUERY_STEP_MS,
    whole: bool = False,
    interval_ms: int = 0,
    picks: Picks | None = None,
) -> Plan:
    """Plan of an expression.

    `subquery_step_ms` is the step of a subquery that names none. `whole` says that the store holds all samples there
    will ever be, also those after the evaluation: then a fixed time after `@` and offsets into the future are accepted.
    `interval_ms` is the interval at which it is evaluated, so that panes may be kept; 0 where there is none. `picks`
    are those that it shares with others, evaluated over the same store.

    Raises:
        RuleError: it cannot be parsed, or has something that is not supported; with line and column where known.

    """
    compiler = Compiler(text, Options(lookback_ms, subquery_step_ms, whole, picks or Picks()))
    return Plan(text, compiler.compile(), interval_ms=interval_ms)
