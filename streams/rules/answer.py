"""Answer: the value of an expression over a store that holds all samples there will ever be.

So a fixed time after `@`, and offsets into the future, are accepted, as Prometheus accepts them. The store must keep
its samples for ever; then it may be asked about any time, in any order.
"""

from typing import NamedTuple

from schemas.histograms import NativeHistogram
from schemas.labels import Labels
from streams.rules.compile import SUBQUERY_STEP_MS
from streams.rules.plan import compile_expression
from streams.windows.series import SeriesStore


class Sample(NamedTuple):
    """One element of a result; a scalar has no labels."""

    labels: Labels
    value: float | NativeHistogram


def answer(
    store: SeriesStore, expression: str, t_ms: int, *, step_ms: int = SUBQUERY_STEP_MS
) -> list[Sample]:
    """Result of an expression at an event time, by label set; `step_ms` is that of a subquery that names none.

    Raises:
        RuleError: it cannot be parsed, or the series at this time do not allow it.

    """
    plan = compile_expression(expression, subquery_step_ms=step_ms, whole=True)
    vector, bag = plan.evaluate_all(store, t_ms)
    found = (
        Sample(plan.space.labels[row], bag.value(vector.values, at))
        for at, row in enumerate(vector.rows.tolist())
    )
    return sorted(found, key=lambda sample: sample.labels)
