"""Runs one group of tests on our engine, in Prometheus's order, and tells what differs in promtool's words.

At each step of the evaluation interval the samples up to then are taken in, and every group is evaluated, whatever
its own interval says, as promtool does. Expressions are evaluated at the end over all samples up to the last step.
Groups of rules come in the order of `group_eval_order`, else in the order of the files, where promtool's order is
not defined. A subquery that names no step has that of the evaluation interval, as in promtool.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.base import FloatArray, IntArray
from schemas.errors import RuleError
from schemas.handles import is_handle
from schemas.histograms import NativeHistogram, show_histogram
from schemas.labels import Labels, encode_labels, fingerprint_bytes
from schemas.reasons import AlertState
from streams.rules.answer import Sample, answer
from streams.rules.engine import RuleEngine
from streams.rules.native.append import append_mixed
from streams.rules.promtest.difference import Json, difference
from streams.rules.promtest.notation import (
    load_lines,
    read_histogram,
    read_line,
    read_metric,
)
from streams.rules.promtest.suite import AlertTest, ExpressionTest, Suite, TestGroup
from streams.rules.promtest.wording import indent, show_exponent, show_go_span, show_labels
from streams.rules.rule import RuleGroup
from streams.rules.selectors import EVER_MS
from streams.rules.template.gofmt import quote
from streams.rules.template.span import show_span
from streams.windows.histograms import Bag

MAX_SERIES = 1_000_000

Shown: TypeAlias = tuple[Labels, Labels]
"""Labels and annotations of an alert."""


def run_group(
    suite: Suite, group: TestGroup, groups: Sequence[RuleGroup], *, as_diff: bool = False
) -> list[str]:
    """What differs, one text for each test that fails; empty when all pass."""
    try:
        inputs = _Inputs.of(group, group.interval or suite.evaluation_interval)
    except RuleError as error:
        return [str(error)]
    for test in group.alert_rule_test:
        if not test.alertname:
            where = f" (in TestGroup {group.name})" if group.name else ""
            what = "an item under alert_rule_test misses required attribute alertname"
            return [f"{what} at eval_time {show_span(test.eval_time)}{where}"]
    try:
        trial = _Trial(suite, group, groups, inputs, as_diff)
    except RuleError as error:
        return [f"    {error}"]
    return trial.run()


@dataclass(frozen=True)
class _Inputs:
    """All samples of a test in order of time and row, the label sets that their rows index, and their histograms."""

    codes: list[bytes]
    prints: NDArray[np.uint64]
    bag: Bag
    rows: IntArray
    times: IntArray
    values: FloatArray

    @classmethod
    def of(cls, group: TestGroup, interval_ms: int) -> "_Inputs":
        # of two lines with one label set the last counts, as in promtool
        written = {
            each.labels: each for each in map(read_line, load_lines(group.input_series))
        }.values()
        bag = Bag()
        parts = [np.flatnonzero(each.there) for each in written]
        for each in written:
            at = np.array(sorted(each.histograms), np.int64)
            each.values[at] = bag.hold([each.histograms[position] for position in at.tolist()])
        rows = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        steps = np.concatenate([*parts, np.zeros(0, np.int64)]).astype(np.int64)
        values = np.concatenate([*(e.values[e.there] for e in written), np.zeros(0)])
        times = group.start_timestamp + steps * interval_ms
        order = np.lexsort((rows, times))
        codes = [encode_labels(each.labels) for each in written]
        return cls(codes, _fingerprints(codes), bag, rows[order], times[order], values[order])


class _Trial:
    """One run: engine, input, and what was found to differ."""

    def __init__(
        self,
        suite: Suite,
        group: TestGroup,
        groups: Sequence[RuleGroup],
        inputs: _Inputs,
        as_diff: bool,
    ) -> None:
        self._group = group
        self._inputs = inputs
        self._taken = 0
        self._as_diff = as_diff
        self._fuzzy = suite.fuzzy_compare
        self._step_ms = suite.evaluation_interval or 60_000
        self._errors: list[str] = []
        # groups are due at multiples of their interval since the epoch; all must be due at each step from the start
        every_ms = math.gcd(group.start_timestamp, self._step_ms)
        place = {name: at for at, name in enumerate(suite.group_eval_order)}
        ordered = sorted(groups, key=lambda each: place.get(each.name, 0))
        self._engine = RuleEngine(
            [_at_every(each, every_ms) for each in ordered],
            max_series=MAX_SERIES,
            external_labels=group.external_labels,
            external_url=group.external_url,
            subquery_step_ms=self._step_ms,
            keep_alert_series=True,
        )
        self._engine.store.retain(EVER_MS)
        self._names = {rule.id: rule.name for each in groups for rule in each.rules}

    def run(self) -> list[str]:
        start, end = self._group.start_timestamp, self._group.start_timestamp + self._group.span_ms
        for t_ms in range(start, end + 1, self._step_ms):
            self._feed(t_ms)
            self._engine.tick(t_ms)
            failures, self._engine.failures = self._engine.failures, []
            if failures:
                failed = (
                    f"    rule: {self._names[each.rule]}, time: {show_go_span(t_ms)}, "
                    f"err: {each.message.removeprefix('RuleError: ')}"
                    for each in failures
                )
                return [*self._errors, *failed]
            self._check_alerts(t_ms)
        for test in self._group.promql_expr_test:
            self._check_expression(test)
        return self._errors

    def _feed(self, upto_ms: int) -> None:
        """Take in samples up to a time, one time after the other."""
        inputs, store = self._inputs, self._engine.store
        upto = int(np.searchsorted(inputs.times, upto_ms, side="right"))
        cuts = np.flatnonzero(np.diff(inputs.times[self._taken : upto])) + 1 + self._taken
        for begin, end in pairwise([self._taken, *cuts.tolist(), upto]):
            if begin == end:
                continue
            given = inputs.rows[begin:end]
            rows = store.rows(inputs.prints[given], [inputs.codes[row] for row in given.tolist()])
            order = np.argsort(rows)
            times, values = inputs.times[begin:end], inputs.values[begin:end][order]
            append_mixed(store, rows[order], times, values, inputs.bag)
            numbers = ~is_handle(values)
            self._engine.arrive(rows[order][numbers], times[numbers], values[numbers])
        self._taken = upto

    def _check_alerts(self, t_ms: int) -> None:
        """Hold those tests against the alerts whose time lies between this step and the next."""
        since = t_ms - self._group.start_timestamp
        due = [
            t for t in self._group.alert_rule_test if since <= t.eval_time < since + self._step_ms
        ]
        if not due:
            return
        found: dict[str, list[Shown]] = {}
        for rule, alert in self._engine.standing():
            if alert.state is AlertState.FIRING:
                texts = rule.announcer.annotations(alert.given, alert.facts, alert.heard_at)
                shown = (alert.labels, tuple(sorted(texts.items())))
                found.setdefault(rule.rule.name, []).append(shown)
        for test in sorted(due, key=lambda each: each.eval_time):
            self._check_alert(test, sorted(found.get(test.alertname, [])))

    def _check_alert(self, test: AlertTest, got: list[Shown]) -> None:
        expected = sorted(
            (
                tuple(sorted({**each.exp_labels, "alertname": test.alertname}.items())),
                tuple(sorted(each.exp_annotations.items())),
            )
            for each in test.exp_alerts
        )
        if expected == got:
            return
        name = f"    name: {self._group.name},\n" if self._group.name else ""
        head = f"{name}    alertname: {test.alertname}, time: {show_span(test.eval_time)}, \n"
        margin = " " * 12
        if self._as_diff:
            shown = difference(_as_objects(expected), _as_objects(got))
            self._errors.append(f"{head}        diff: {indent(shown, margin)}")
            return
        exp, seen = (indent(_show_alerts(alerts), margin) for alerts in (expected, got))
        self._errors.append(f"{head}        exp:{exp}, \n        got:{seen}")

    def _check_expression(self, test: ExpressionTest) -> None:
        head = f"    expr: {quote(test.expr)}, time: {show_span(test.eval_time)},"
        t_ms = self._group.start_timestamp + test.eval_time
        try:
            got = answer(self._engine.store, test.expr, t_ms, step_ms=self._step_ms)
        except RuleError as error:
            self._errors.append(f"{head} err: {error}")
            return
        expected: list[Sample] = []
        for each in test.exp_samples:
            try:
                value = read_histogram(each.histogram) if each.histogram else each.value
                expected.append(Sample(read_metric(each.labels), value))
            except RuleError as error:
                self._errors.append(f"{head} err: labels {quote(each.labels)}: {error}")
                return
        expected.sort(key=lambda sample: sample.labels)
        if not self._are_equal(expected, got):
            exp, seen = (", ".join(map(_show, each)) or "nil" for each in (expected, got))
            self._errors.append(f"{head}\n        exp: {exp}\n        got: {seen}")

    def _are_equal(self, expected: list[Sample], got: list[Sample]) -> bool:
        if [each.labels for each in expected] != [each.labels for each in got]:
            return False
        return all(map(self._is_equal, expected, got))

    def _is_equal(self, one: Sample, other: Sample) -> bool:
        a, b = one.value, other.value
        if not isinstance(a, float) or not isinstance(b, float):
            return _show_value(a) == _show_value(b)
        nearest = (math.nextafter(a, -math.inf), math.nextafter(a, math.inf)) if self._fuzzy else ()
        return a == b or b in nearest


def _show(sample: Sample) -> str:
    return f"{show_labels(sample.labels)} {_show_value(sample.value)}"


def _show_value(value: float | NativeHistogram) -> str:
    return show_histogram(value) if isinstance(value, NativeHistogram) else show_exponent(value)


def _fingerprints(codes: list[bytes]) -> NDArray[np.uint64]:
    return np.array([fingerprint_bytes(code) for code in codes], np.uint64)


def _at_every(group: RuleGroup, ms: int) -> RuleGroup:
    rules = tuple(replace(rule, interval_ms=ms) for rule in group.rules)
    return replace(group, interval_ms=ms, rules=rules)


def _show_alerts(alerts: list[Shown]) -> str:
    if not alerts:
        return "[]"
    shown = (
        f"{at}:" + indent(f"\nLabels:{show_labels(labels)}\nAnnotations:{show_labels(texts)}", "  ")
        for at, (labels, texts) in enumerate(alerts)
    )
    return "[\n" + ",\n".join(shown) + "\n]"


def _as_objects(alerts: list[Shown]) -> list[Json]:
    return [
        {"Labels": dict(labels), "Annotations": dict(texts)}
        for labels, texts in alerts or [((), ())]
    ]
