"""Late native histograms take their places as other samples do, and amend what was told."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import Alert
from schemas.config import Config
from schemas.handles import make_handles
from schemas.histograms import NativeHistogram
from schemas.labels import make_labels
from schemas.reasons import AlertReason, AlertState, DeadLetterReason
from schemas.samples import SampleBatch, decode_batch, encode_batch, make_batch
from streams.detect.core import DetectCore
from streams.rules.load import parse_rules
from streams.time.watermark import BEFORE_ALL
from tests.detect.amending import standing

T0 = 1_700_000_000_000 - 1_700_000_000_000 % 60_000
RULES = """
groups:
  - name: g
    interval: 5s
    rules:
      - record: requests:rate
        expr: histogram_count(rate(requests[20s]))
      - alert: Busy
        expr: histogram_count(rate(requests[20s])) > 4
      - alert: Slow
        expr: histogram_quantile(0.5, rate(requests[20s])) > 4
      - alert: Recorded
        expr: requests:rate > 4
"""
LABELS = make_labels({"__name__": "requests", "__tenant__": "t", "service": "s"})
BEHIND_MS = 20_000


def counter(second: int, rate: int, slow: int) -> NativeHistogram:
    """A counter of so many requests a second, which took less than a second, and of so many slow ones."""
    quick = float(second * rate)
    positive = {0: quick, 4: float(second * slow)}
    return NativeHistogram(count=quick + second * slow, sum=quick, positive=positive)


def batch(
    offset: int, second: int, found: Sequence[tuple[int, NativeHistogram]], late_at: int | None
) -> SampleBatch:
    """Histograms of these seconds from a source whose watermark is at a second; they came late at another."""
    samples = [(LABELS, T0 + at * 1_000, 0.0, offset) for at, _ in found]
    stamp = T0 + second * 1_000
    made = make_batch("telemetry", 0, watermark=stamp, record_time=stamp, samples=samples)
    marks = None if late_at is None else np.full(len(found), T0 + late_at * 1_000)
    named = replace(
        made,
        watermark=stamp if late_at is None else BEFORE_ALL,
        values=make_handles(len(found)),
        histograms=[histogram for _, histogram in found],
        late_at=marks,
    )
    return decode_batch(encode_batch(named))


def make_core() -> DetectCore:
    """One source."""
    config = Config()
    groups, faults = parse_rules(RULES, "rules.yml")
    assert faults == []
    time = config.time.model_copy(update={"amend_within": BEHIND_MS + 10_000})
    return DetectCore(
        groups, number=0, expected=[("telemetry", 0)], time=time, limits=config.limits
    )


def log(rates: Sequence[int], slow: Sequence[int], late: set[int]) -> list[SampleBatch]:
    """A histogram each 5 s; those of some places come 15 s late, if there is still time for it."""
    out: list[SampleBatch] = []
    for place, (rate, few) in enumerate(zip(rates, slow, strict=True)):
        second = 5 * place
        if place - 3 in late:
            behind = second - 15
            found = [(behind, counter(behind, rates[place - 3], slow[place - 3]))]
            out.append(batch(len(out), second, found, second - 5))
        found = [] if place in late else [(second, counter(second, rate, few))]
        out.append(batch(len(out), second, found, None))
    last = 5 * len(rates)
    return [*out, *(batch(len(out), last + more, [], None) for more in (1, 20, 40))]


def run(batches: Sequence[SampleBatch], cuts: Sequence[int] = ()) -> list[Alert]:
    """What comes of batches, cut and restarted before these; no sample is dropped."""
    core = make_core()
    out: list[Alert] = []
    for first, last in pairwise([0, *cuts, len(batches)]):
        columns, facts = core.snapshot()
        core = make_core()
        core.restore({name: column.copy() for name, column in columns.items()}, facts)
        found = core.apply(batches[first:last])
        out += [each for each in found if isinstance(each, Alert)]
        assert 0 == core.dropped[DeadLetterReason.LATE]
    return out


def test_a_late_histogram_amends_with_its_own_onset() -> None:
    """The rise that it shows began when it says, though its alert fired only once others had come."""
    steps = [2] * 7 + [20] * 9
    totals = [5 * sum(steps[: place + 1]) for place in range(len(steps))]
    story = [NativeHistogram(count=float(n), positive={0: float(n)}) for n in totals]
    missing = [7, 8, 9]
    in_time = [batch(p, 5 * p, [(5 * p, each)], None) for p, each in enumerate(story)]
    held = [batch(p, 5 * p, [], None) if p in missing else each for p, each in enumerate(in_time)]
    late = batch(10, 50, [(5 * p, story[p]) for p in missing], 45)
    end = [batch(99, 76, [], None)]

    (expected,) = [a for a in run([*in_time, *end]) if a.name == "Busy"]
    fired, amended = (a for a in run([*held[:10], late, *held[10:], *end]) if a.name == "Busy")
    assert (AlertState.FIRING, T0 + 35_000) == (expected.state, expected.active_at)
    assert (AlertState.FIRING, T0 + 55_000) == (fired.state, fired.active_at)
    assert (AlertState.FIRING, AlertReason.AMENDED) == (amended.state, amended.reason)
    assert (expected.active_at, (fired.id,)) == (amended.active_at, amended.amends)


@settings(max_examples=15)
@given(st.data())
def test_in_the_end_all_is_as_if_no_histogram_had_been_late(data: st.DataObject) -> None:
    """Rates, quantiles, resets and what is recorded of them, however batches are cut and workers restarted."""
    count = data.draw(st.integers(8, 14))
    some = st.lists(st.integers(0, 9), min_size=count, max_size=count)
    rates, slow = data.draw(some), data.draw(some)
    late = log(rates, slow, data.draw(st.sets(st.integers(1, count - 4), max_size=4)))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(late) - 1), max_size=3)))

    whole = run(late)
    assert standing(run(log(rates, slow, set()))) == standing(whole)
    assert whole == run(late, cuts)
