"""Two stages: rules wider than the locality say the same with any number of partitions, and what one place would."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import topics
from schemas.labels import METRIC, TENANT, Labels, make_labels
from schemas.samples import make_batch
from streams.detect.merge import MergeStage
from streams.rules.load import parse_rules
from streams.rules.plan import compile_expression
from streams.windows.series import SeriesStore
from tests.detect.two_stages import (
    LE,
    START,
    STEP,
    Sample,
    batches,
    cut_up,
    groups_of,
    parsed,
    pipeline,
    run,
    telemetry_of,
)

EXACT = (
    "sum(x)",
    "sum by (az) (rate(x[20s]))",
    "avg without (service) (x)",
    "count(x)",
    "group by (az) (x)",
    "min(x)",
    "max by (az) (x)",
    "topk(3, x)",
    "bottomk by (az) (1, x)",
    "limitk(2, x)",
    "limit_ratio(0.5, x)",
    'count_values("v", x)',
    "quantile(0.9, x)",
    "histogram_quantile(0.9, sum by (le) (x))",
    "sum by (az) (x) / on () group_left sum(x)",
    "x > scalar(avg(x))",
    "sum by (service) (x) > on () group_left avg(sum by (service) (x))",
    'absent(gone{job="a"})',
    "absent_over_time(gone[1m])",
    "absent(x)",
    'sum by (service) (label_replace(x, "service", "$1-w", "service", "(.*)"))',
    "topk(scalar(count(x)), x)",
    "sum(x) or vector(0)",
    "sum(x offset 10s) - sum(x)",
    "max(max_over_time(sum by (service) (x)[20s:5s]))",
)
NEAR = ("stddev(x)", "stdvar by (az) (x)")


@st.composite
def telemetry(draw: st.DrawFn) -> list[Sample]:
    """Half a minute of some series of two tenants, with gaps."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    series = draw(st.integers(1, 12))
    found = []
    for step in range(8):
        for number in range(series):
            if rng.random() < 0.15:
                continue
            labels = make_labels(
                {
                    METRIC: "x",
                    TENANT: "ab"[number % 2],
                    "service": f"s{number // 2}",
                    "az": f"z{number % 3}",
                    "le": LE[number % 3],
                }
            )
            choices = (float(rng.integers(0, 3)), float(rng.normal(0, 100)), 1e16, 0.1)
            found.append((labels, START + step * STEP, float(rng.choice(choices))))
    last = START + 8 * STEP
    end = make_labels({METRIC: "end", TENANT: "a", "service": "end"})
    return [*found, (end, last, 1.0), (end, last + 1, 1.0)]


@settings(max_examples=6)
@given(samples=telemetry())
def test_the_number_of_partitions_does_not_matter(samples: list[Sample]) -> None:
    """With 1, 2 and 8 partitions every alert has the same time, labels and value, to the last bit."""
    groups = groups_of(*EXACT)

    one, two, eight = (run(groups, samples, partitions) for partitions in (1, 2, 8))

    assert one == two
    assert one == eight


@settings(max_examples=6)
@given(samples=telemetry())
def test_moments_are_the_same_but_for_rounding(samples: list[Sample]) -> None:
    """Standard deviation and variance of 1, 2 and 8 partitions differ in the last bits at most."""
    # what holds must not hang on the last bit
    groups = groups_of(*(f"{expr} >= 0" for expr in NEAR))

    one, *others = (run(groups, samples, partitions) for partitions in (1, 2, 8))

    for other in others:
        assert [each[:5] for each in one] == [each[:5] for each in other]
        for (*_, left), (*_, right) in zip(one, other, strict=True):
            assert math.isclose(left or 0, right or 0, rel_tol=1e-12, abs_tol=1e-12)


def whole_answer(expression: str, samples: Sequence[Sample], t_ms: int) -> dict[Labels, float]:
    """What one place that sees everything says at a time."""
    store = SeriesStore(max_series=1000, retention_ms=10**9)
    for labels, time, value in samples:
        if time <= t_ms:
            batch = make_batch("t", 0, watermark=0, record_time=0, samples=[(labels, 0, 0.0, 0)])
            rows = store.rows(batch.fingerprints, batch.label_bytes)
            store.append(rows, np.array([time]), np.array([value]))
    plan = compile_expression(expression)
    rows, values = plan.evaluate(store, t_ms)
    found = zip(rows.tolist(), values.tolist(), strict=True)
    return {plan.space.labels[row]: value for row, value in found}


@pytest.mark.parametrize(
    "expression",
    [e for e in (*EXACT, *NEAR) if not e.startswith(("quantile", "limitk", "topk", "bottomk"))],
)
def test_two_stages_say_what_one_place_would(expression: str) -> None:
    """At a tick, the recorded result of two stages over four partitions is that of a plan that sees all series."""
    samples = telemetry_of(10)
    tick = START + 20_000
    groups = parsed(f"  - {{record: made, expr: {expression!r}}}")
    stages = pipeline(groups, 4)
    early = [each for each in samples if each[1] <= tick + STEP]
    for first, chunk in cut_up(early, 5):
        stages.inject(batches(chunk, 4, first))

    found: dict[Labels, float] = {}
    for place, stage in stages.stages.items():
        if place[0] == topics.PARTIALS and isinstance(stage, MergeStage):
            plan = compile_expression("made")
            rows, values = plan.evaluate(stage.core.engine.store, tick)
            for row, value in zip(rows.tolist(), values.tolist(), strict=True):
                found[tuple(p for p in plan.space.labels[row] if p[0] != METRIC)] = value

    expected = {
        tuple(pair for pair in labels if pair[0] != METRIC): value
        for labels, value in whole_answer(expression, samples, tick).items()
    }
    assert found.keys() == expected.keys()
    for labels, value in found.items():
        assert math.isclose(value, expected[labels], rel_tol=1e-12)


def test_recorded_series_are_read_in_the_second_stage() -> None:
    """A rule reads what a wide rule before it has recorded, also its past, and beside series of the partitions."""
    groups = parsed(
        "  - {record: 'total:x', expr: 'sum(x)'}\n"
        "  - {alert: Past, expr: 'avg_over_time(total:x[20s]) > 0'}\n"
        "  - {alert: Share, expr: 'x / on () group_left total:x > 0'}\n"
        "  - {alert: Again, expr: 'count(ALERTS{alertname=\"Past\"}) > 0'}\n"
    )

    found = run(groups, telemetry_of(6), 4)

    assert found == run(groups, telemetry_of(6), 1)
    names = [name for _, _, name, state, _, _ in found if state == "firing"]
    assert (2, 6, 2) == (names.count("Past"), names.count("Share"), names.count("Again"))


def test_a_query_offset_moves_both_stages() -> None:
    """A group that looks into the past finds there what one place would."""
    text = "groups:\n- name: g\n  interval: 10s\n  query_offset: 15s\n  rules:\n"
    groups, faults = parse_rules(text + "  - {alert: A, expr: 'sum(x) > 0'}\n", "r")
    assert faults == []

    found = run(groups, telemetry_of(6), 4)

    tick = START + 20_000  # the first at which there was something 15 s before
    assert {tick} == {time for time, *_ in found}
    total = whole_answer("sum(x)", telemetry_of(6), tick - 15_000)
    assert sorted(total.values()) == pytest.approx(sorted(v or 0 for *_, v in found))
