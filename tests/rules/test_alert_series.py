"""Series of alerts: whose they are, and which selectors ask for them; their values are held against promtool's."""

import numpy as np
import pytest

from schemas.labels import encode_labels, make_labels
from streams.rules.alert_series import AlertSeries, selects_alerts
from streams.rules.answer import answer
from streams.rules.plan import compile_expression
from streams.rules.rule import Kind, Rule
from streams.windows.series import SeriesStore


@pytest.mark.parametrize(
    ("selector", "asks"),
    [
        ("ALERTS", True),
        ("ALERTS_FOR_STATE{a='b'}", True),
        ("ALERTS{alertname='High', alertstate='firing'}", True),
        ("{alertname=~'H.*'}", True),
        ("{a='b'}", True),
        ("{__name__=~'ALERTS.*'}", True),
        ("ALERTS{alertname='Low'}", False),
        ("ALERTS{alertname!='High'}", False),
        ("up{alertname='High'}", False),
        ("{__name__=~'up|down'}", False),
    ],
)
def test_a_selector_asks_by_name_and_alertname(selector: str, asks: bool) -> None:
    """Whether it may pick series of the alerts called High."""
    (selection,) = compile_expression(selector).selectors
    assert asks is selects_alerts(selection, "High")


def test_what_ended_before_a_restart_ends_after_it() -> None:
    """The snapshot holds what was written last, so that it gets its stale marker."""
    rule = Rule("g", "High", Kind.ALERT, "x", "r.yml", 1, 15_000)
    store = SeriesStore(max_series=10)
    alert = [encode_labels(make_labels({"alertname": "High", "a": "b"}))]
    series = AlertSeries(rule)
    assert 0 == series.write(store, alert, np.ones(1, np.bool_), np.array([1_999]), 15_000)
    assert [1.0] == [sample.value for sample in answer(store, "ALERTS_FOR_STATE", 15_000)]
    again = AlertSeries(rule)
    again.restore(series.snapshot())
    again.write(store, [], np.zeros(0, np.bool_), np.zeros(0, np.int64), 30_000)
    assert [[1.0], []] == [
        [sample.value for sample in answer(store, "ALERTS", t_ms)] for t_ms in (15_000, 30_000)
    ]


def test_series_without_room_are_counted() -> None:
    """Both of an alert, where the store is full."""
    rule = Rule("g", "High", Kind.ALERT, "x", "r.yml", 1, 15_000)
    alert = [encode_labels(make_labels({"alertname": "High"}))]
    store = SeriesStore(max_series=0)
    assert 2 == AlertSeries(rule).write(
        store, alert, np.ones(1, np.bool_), np.zeros(1, np.int64), 0
    )
