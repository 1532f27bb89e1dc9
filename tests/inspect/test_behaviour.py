"""Behaviour: counters and gauges by name and by how values move, wherever chunks are cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.handles import make_handles
from streams.inspect.behaviour import Behaviour


def seen(*values: float, name: str = "m", series: int = 1) -> tuple[str, str]:
    """Kind and reason of a metric whose series take these values in turn, every 10 s."""
    behaviour = Behaviour()
    ids = np.arange(len(values)) % series
    behaviour.add(ids, np.arange(len(values)) * 10_000, np.array(values, float))
    found = behaviour.metric(name, range(series))
    return found.kind, found.why


@pytest.mark.parametrize(
    ("values", "name", "kind"),
    [
        ((1, 2, 3, 4, 5, 6), "m", "counter"),
        ((1, 1, 1, 1, 1, 1), "m", "unknown"),
        ((1, 2, 1), "m", "gauge"),
        ((1, 2, 1), "requests_total", "counter"),
        ((5, 4), "request_seconds_count", "counter"),
        ((float("nan"), 1, 2, 3, 4, 5, 6), "m", "counter"),
        (tuple(make_handles(2)), "m", "histogram"),
    ],
)
def test_a_kind_is_told_by_name_or_by_values(
    values: tuple[float, ...], name: str, kind: str
) -> None:
    """Prometheus's suffixes come first; then what falls is a gauge, and what only rises a counter."""
    assert kind == seen(*values, name=name)[0]


def test_series_are_told_apart() -> None:
    """Two series that rise side by side do not look like one that goes up and down."""
    assert "counter" == seen(1, 100, 2, 101, 3, 102, 4, 103, series=2)[0]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 5)), max_size=40), st.data())
def test_cuts_change_nothing(samples: list[tuple[int, int]], data: st.DataObject) -> None:
    """The same samples in two parts are told alike."""
    ids = np.array([i for i, _ in samples], np.intp)
    values = np.array([v for _, v in samples], float)
    at_ms = np.arange(len(samples)) * 1000
    cut = data.draw(st.integers(0, len(samples)))
    whole, parts = Behaviour(), Behaviour()
    whole.add(ids, at_ms, values)
    for part in (slice(cut), slice(cut, None)):
        parts.add(ids[part], at_ms[part], values[part])
    there = sorted(set(ids.tolist()))

    assert [whole.metric("m", [i]) for i in there] == [parts.metric("m", [i]) for i in there]


def test_times_and_values_are_told() -> None:
    """The usual time between samples, the least and the most."""
    behaviour = Behaviour()
    behaviour.add(np.zeros(3, np.intp), np.array([0, 15_000, 30_000]), np.array([3.0, -1.0, 2.0]))
    found = behaviour.metric("m", [0])

    assert (1, 3, 15.0, -1.0, 3.0) == (
        found.series,
        found.samples,
        found.every_seconds,
        found.least,
        found.most,
    )
