"""Native histograms in the store, in rules and in checkpoints."""

import numpy as np

from schemas.handles import is_handle
from schemas.histograms import Hint, NativeHistogram, parse_histogram
from schemas.labels import encode_labels, fingerprint_bytes, make_labels
from streams.rules.engine import RuleEngine
from streams.rules.load import parse_rules
from streams.rules.native.append import append_histograms
from streams.rules.plan import compile_expression
from streams.windows.series import SeriesStore
from tests.rules.conftest import make_store

SERIES = {
    "h": "{{count:2 sum:3 buckets:[2]}} {{count:4 sum:6 buckets:[3 1]}} {{count:1 sum:1 buckets:[1]}}"
}
RULES = """
groups:
- name: g
  rules:
  - {record: h:rate, expr: "rate(h[1m])"}
  - {alert: A, expr: "h:rate"}
  - {alert: B, expr: "histogram_count(h:rate) > 0"}
"""


def row_of(store: SeriesStore, name: str) -> np.ndarray:
    """Row of a series without labels."""
    code = encode_labels(make_labels({"__name__": name}))
    return store.rows(np.array([fingerprint_bytes(code)], np.uint64), [code])


def value_of(store: SeriesStore, expression: str, at_s: int) -> object:
    """The only value of an expression."""
    (_, values), bag = compile_expression(expression).evaluate_all(store, at_s * 1000)
    assert len(values) == 1
    return bag.value(values, 0)


def test_a_histogram_comes_back_with_what_is_known_of_resets() -> None:
    """The first of a series is of unknown past, and the first after a reset as well, as in Prometheus."""
    store = make_store(SERIES)
    found = [value_of(store, "h", at_s) for at_s in (0, 15, 30)]

    hints = [each.hint for each in found if isinstance(each, NativeHistogram)]
    assert [Hint.UNKNOWN, Hint.NOT_RESET, Hint.UNKNOWN] == hints
    assert 1.0 == value_of(store, "resets(h[1m])", 30)


def test_histograms_survive_a_checkpoint() -> None:
    """The same values from a store that was saved and restored, and further samples have a past."""
    store, other = make_store(SERIES), SeriesStore(max_series=10)
    other.restore(store.snapshot())

    assert value_of(store, "rate(h[1m])", 30) == value_of(other, "rate(h[1m])", 30)
    more = parse_histogram("{{count:3 sum:4 buckets:[3]}}")
    append_histograms(other, row_of(other, "h"), np.array([45_000]), [more])
    found = value_of(other, "h", 45)
    assert isinstance(found, NativeHistogram)
    assert Hint.NOT_RESET is found.hint


def test_histograms_that_no_sample_names_are_forgotten() -> None:
    """Ten thousand samples of one series under a retention of some leave some."""
    store = SeriesStore(max_series=10, retention_ms=60_000)
    row, one = row_of(store, "h"), parse_histogram("{{count:1 buckets:[1]}}")
    for at in range(10_000):
        append_histograms(store, row, np.array([at * 15_000]), [one])

    assert len(store.bag) < 3000


def test_rules_record_histograms_and_alert_on_them() -> None:
    """A recorded histogram is read by later rules; the value of an alert on one is 0, as in Prometheus."""
    groups, problems = parse_rules(RULES, "r.yml")
    assert problems == []
    engine = RuleEngine(groups, max_series=10)
    for at, text in enumerate(("{{count:2 buckets:[2]}}", "{{count:62 buckets:[62]}}")):
        histogram = parse_histogram(text)
        row = row_of(engine.store, "h")
        append_histograms(engine.store, row, np.array([at * 60_000 + 30_000]), [histogram])

    alerts = {alert.name: alert.value for alert in engine.tick(90_000)}

    assert [] == engine.failures
    assert {} == alerts  # one sample in the window is no rate
    append_histograms(
        engine.store, row, np.array([105_000]), [parse_histogram("{{count:92 buckets:[92]}}")]
    )
    alerts = {alert.name: alert.value for alert in engine.tick(105_000)}
    assert 0.0 == alerts["A"]
    assert alerts["B"] > 0


def test_a_value_from_outside_cannot_name_a_histogram() -> None:
    """A NaN that looks like a handle is nothing but NaN."""
    groups, _ = parse_rules(RULES, "r.yml")
    engine = RuleEngine(groups, max_series=10)
    histogram = parse_histogram("{{count:2 buckets:[2]}}")
    append_histograms(engine.store, row_of(engine.store, "h"), np.array([0]), [histogram])
    stolen = engine.store.instant(row_of(engine.store, "h"), 0, 1000).values
    assert is_handle(stolen).all()

    engine.append(row_of(engine.store, "x"), np.array([0]), stolen)

    found = value_of(engine.store, "x", 0)
    assert isinstance(found, float)
    assert np.isnan(found)
