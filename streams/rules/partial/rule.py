"""PartialRule: the first stage of a rule that is wider than the locality, at work in one detect partition.

It stands where the rule stands, so that it sees what the rules before it have recorded. What its cuts come to is kept
until the engine takes it. Where it was added while the engine was at work, it says from when on it has evaluated.
A cut that cannot be evaluated is told as failed, so that nobody takes the rest for the whole. What late samples change
of what was told is told again, and no more.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from schemas.errors import CheckpointError
from streams.rules.checkpoint import AnyColumns
from streams.rules.locality import speaks_of_nothing
from streams.rules.partial.cut import Found, tenants_at
from streams.rules.partial.split import Split
from streams.rules.plan import Plan
from streams.rules.rule import Rule
from streams.rules.selectors import Selection
from streams.windows.blocks import Bools
from streams.windows.series import SeriesStore

ALWAYS = 0
"""Since the epoch."""
NOT_YET = -1


class Reading:
    """What the cuts of a rule read together, as a plan tells it."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self.selectors: tuple[Selection, ...] = tuple(s for plan in plans for s in plan.selectors)
        self.retention_ms = max((plan.retention_ms for plan in plans), default=0)
        self._plans = plans

    def picked(self, store: SeriesStore) -> Bools:
        """For each row of the store whether any of them reads it."""
        picked = np.zeros(len(store.born), np.bool_)
        for plan in self._plans:
            picked |= plan.picked(store)
        return picked


class PartialRule:
    """One rule and its cuts.

    Attributes:
        rule: what the user wrote.
        plan: what it reads.
        since: event time in ms from which on it evaluates, `NOT_YET` where it never has.
        leaves_nothing: whether nothing would have to be ended without this rule: it makes nothing by itself.

    """

    leaves_nothing = True

    def __init__(self, rule: Rule, split: Split, *, sender: int) -> None:
        self.rule = rule
        self.cuts = split.cuts
        self.plan = Reading([cut.plan for cut in self.cuts])
        self.since = NOT_YET
        self._tells_tenants = speaks_of_nothing(rule.expr) or "scalar" in rule.expr
        self._sender = sender
        self._found: list[Found] = []

    def tick(self, store: SeriesStore, t_ms: int) -> None:
        """Evaluate at an event time.

        Raises:
            Exception: of the first cut that cannot be evaluated; all others are.

        """
        if self.since == NOT_YET:
            self.since = t_ms
        found, failures = self._evaluate(store, t_ms)
        self._found += found
        if failures:
            raise failures[0]

    def look(self, store: SeriesStore, t_ms: int) -> list[Found]:
        """What it finds, or would have found, at an event time; nobody is told."""
        return self._evaluate(store, t_ms)[0]

    def correct(self, before: Sequence[Found], now: Sequence[Found], step: int) -> None:
        """Tell what late samples have changed, at a step, of what was found."""
        changes = (was.changed_to(becomes, step) for was, becomes in zip(before, now, strict=True))
        self._found += [each for each in changes if each.series]

    def _evaluate(self, store: SeriesStore, t_ms: int) -> tuple[list[Found], list[Exception]]:
        all_found: list[Found] = []
        failures: list[Exception] = []
        for cut in self.cuts:
            try:
                found = cut.evaluate(store, t_ms, self._sender)
            except Exception as error:  # noqa: BLE001  told to all, and raised below
                failures.append(error)
                found = cut.failed(store, t_ms, self._sender)
            all_found.append(found)
        if self._tells_tenants:
            all_found.append(tenants_at(store, t_ms, self._sender))
        return all_found, failures

    def take(self) -> list[Found]:
        """What was found since the last time."""
        found, self._found = self._found, []
        return found

    def adopt(self, rule: Rule) -> None:
        """Go on as the same rule, which stands elsewhere now."""
        self.rule = rule

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Since when it evaluates."""
        return {"since": np.array([self.since], np.int64)}

    def remember(self, _store: SeriesStore) -> dict[str, NDArray[np.generic]]:
        """What `rewind` takes: what it finds hangs on the samples alone."""
        return {}

    def rewind(self, columns: AnyColumns, store: SeriesStore) -> None:
        """Have nothing to forget."""

    def restore(self, columns: AnyColumns) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: a column is missing.

        """
        try:
            self.since = int(columns["since"][0])
        except (KeyError, IndexError) as error:
            raise CheckpointError(f"a rule in two stages of a checkpoint: {error!r}") from error


def take_found(rules: Iterable[PartialRule]) -> list[Found]:
    """What these rules found since the last time, by event time; what late samples have changed of it, by step."""
    found = [each for rule in rules for each in rule.take()]
    return sorted(
        found, key=lambda each: (each.t_ms if each.step is None else each.step, each.t_ms)
    )
