"""Our answers beside Prometheus's: which cases differ, and the smallest expression that still does."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeAlias

from schemas.errors import RuleError
from schemas.histograms import NativeHistogram, parse_histogram
from streams.rules.plan import compile_expression
from streams.windows.series import SeriesStore
from tests.rules.differential.expressions import Grammar
from tests.rules.differential.judge import Answer, Case, ask, show
from tests.rules.differential.series import EVERY_S, random_series, random_times

INSTANTS_S = (0, 3, 60, 61, 200, 333, 600, 649, 655, 900)
SUBQUERY_STEP_MS = 15_000
TOLERANCE = 1e-9
NOTHING = 1e-15
"""What is left of a variance or a difference of numbers up to 2.5e8 that are equal but for their last bits."""

Value: TypeAlias = float | NativeHistogram
_CALLED = re.compile(r"(?:\w+ *(?:(?:by|without) \([^()]*\) *)?)?$")


class Sent(NamedTuple):
    """What was sent: values by series, and the times of those whose samples are irregular."""

    series: Mapping[str, str]
    times_ms: Mapping[str, Sequence[int]]


class Difference(NamedTuple):
    """A case on which we and Prometheus part."""

    case: Case
    expected: Answer
    found: dict[str, Value] | None
    why: str


def evaluate(store: SeriesStore, case: Case) -> tuple[dict[str, Value] | None, str]:
    """Our values by label set; None and the reason for an error."""
    try:
        plan = compile_expression(case.expression, subquery_step_ms=SUBQUERY_STEP_MS, whole=True)
        (rows, values), bag = plan.evaluate_all(store, case.at_s * 1000)
    except RuleError as error:
        return None, str(error)
    labels = [show(dict(plan.space.labels[row])) for row in rows.tolist()]
    return {name: bag.value(values, at) for at, name in enumerate(labels)}, ""


def is_like(text: str, value: Value) -> bool:
    """Whether a value is the one Prometheus gave, as a text, up to a relative error of 1e-9.

    Of a histogram the hint does not count: it tells in which chunk Prometheus happens to keep the sample.
    """
    if isinstance(value, NativeHistogram) or text.startswith("{{"):
        return (
            isinstance(value, NativeHistogram)
            and text.startswith("{{")
            and _alike(_numbers(parse_histogram(text)), _numbers(value))
        )
    return is_close(float(text), value)


def _alike(expected: list[float], found: list[float]) -> bool:
    return len(expected) == len(found) and all(map(is_close, expected, found))


def _numbers(histogram: NativeHistogram) -> list[float]:
    """All that a histogram holds."""
    sides = (histogram.positive, histogram.negative)
    buckets = [number for side in sides for pair in sorted(side.items()) for number in pair]
    return [
        *(histogram.schema, histogram.count, histogram.sum),
        *(histogram.zero_threshold, histogram.zero_count),
        *(len(histogram.positive), *buckets, *histogram.bounds),
    ]


def is_close(expected: float, value: float) -> bool:
    """Whether two numbers are equal up to a relative error of 1e-9; NaN is NaN."""
    if math.isnan(expected) or math.isnan(value):
        return math.isnan(expected) and math.isnan(value)
    return math.isclose(expected, value, rel_tol=TOLERANCE, abs_tol=NOTHING)


def agree(expected: Answer, found: dict[str, Value] | None) -> bool:
    """Whether both failed, or both have the same label sets and values."""
    if expected is None or found is None:
        return expected is None and found is None
    return expected.keys() == found.keys() and all(
        is_like(text, found[labels]) for labels, text in expected.items()
    )


def random_cases(random: Random, count: int, depth: int = 3) -> list[Case]:
    """Distinct cases; the same state of the generator gives the same ones."""
    grammar = Grammar(random)
    found: dict[Case, None] = {}
    while len(found) < count:
        expression = grammar.expression(random.randint(1, depth))
        found[Case(expression, random.choice(INSTANTS_S))] = None
    return list(found)


def differences(
    program: Path,
    seed: int,
    count: int,
    load: Callable[[Mapping[str, str], float, Mapping[str, Sequence[int]]], SeriesStore],
    depth: int = 3,
) -> list[Difference]:
    """The cases of a seed on which we differ."""
    random = Random(seed)
    series = random_series(random)
    sent = Sent(series, random_times(seed, series))
    cases = random_cases(random, count, depth)
    return compare(program, sent, cases, load(series, EVERY_S, sent.times_ms))


def compare(program: Path, sent: Sent, cases: list[Case], store: SeriesStore) -> list[Difference]:
    """The cases on which we differ over what was sent."""
    step_s = SUBQUERY_STEP_MS // 1000
    expected = ask(program, sent.series, EVERY_S, cases, step_s=step_s, times_ms=sent.times_ms)
    found = []
    for case, answer in zip(cases, expected, strict=True):
        ours, why = evaluate(store, case)
        if not agree(answer, ours):
            found.append(Difference(case, answer, ours, why))
    return found


def parts(expression: str) -> list[str]:
    """What stands within brackets, and what is left where an argument replaces its call: smaller expressions to try."""
    found = set()
    open_at: list[int] = []
    for at, sign in enumerate(expression):
        if sign == "(":
            open_at.append(at)
        elif sign == ")" and open_at:
            start = open_at.pop()
            inner = expression[start + 1 : at]
            name = _CALLED.search(expression[:start])
            begin = name.start() if name else start
            for piece in (inner, inner.rpartition(", ")[2], inner.partition(", ")[0]):
                found |= {piece, expression[:begin] + piece + expression[at + 1 :]}
    return sorted((each for each in found if each.strip()), key=len)


def shrink(program: Path, sent: Sent, case: Case, store: SeriesStore) -> Difference | None:
    """The difference of the smallest expression derived from a case that still differs; None where none does."""
    smallest = next(iter(compare(program, sent, [case], store)), None)
    while smallest is not None:
        tried = [Case(each, case.at_s) for each in parts(smallest.case.expression)]
        smaller = [
            each
            for each in compare(program, sent, tried, store)
            if not (each.expected is None or each.found is None)
            or (smallest.expected is None or smallest.found is None)
        ]
        better = [
            each for each in smaller if len(each.case.expression) < len(smallest.case.expression)
        ]
        if not better:
            return smallest
        smallest = min(better, key=lambda each: len(each.case.expression))
    return None
