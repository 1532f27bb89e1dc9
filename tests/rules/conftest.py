"""For tests of expressions: a store from series written as promtool writes them, and results as dictionaries."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pytest

from schemas.histograms import NativeHistogram, parse_histogram
from schemas.labels import METRIC, Labels, encode_labels, fingerprint_bytes, make_labels
from schemas.samples import STALE_BITS
from streams.rules.native.append import append_histograms
from streams.rules.plan import compile_expression
from streams.windows.series import SeriesStore

STALE = float(np.array([STALE_BITS], np.int64).view(np.float64)[0])

Load: TypeAlias = Callable[..., SeriesStore]
Evaluate: TypeAlias = Callable[..., dict[str, float]]


def read_series(text: str) -> Labels:
    """Label set of `name{a="b"}`."""
    name, _, rest = text.partition("{")
    pairs = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    return make_labels({METRIC: name, **pairs} if name else pairs)


def read_values(text: str) -> list[float | NativeHistogram | None]:
    """Values of `1 _ stale 0+10x3 {{count:1}}`; None where there is no sample."""
    values: list[float | NativeHistogram | None] = []
    for word in re.findall(r"\{\{.*?\}\}|\S+", text):
        if word.startswith("{{"):
            values.append(parse_histogram(word))
        elif word == "_":
            values.append(None)
        elif word == "stale":
            values.append(STALE)
        elif "x" in word:
            start, sign, step, times = re.fullmatch(r"(.+?)(?:([+-])(.+))?x(\d+)", word).groups()  # type: ignore[union-attr]
            by = float(f"{sign}{step}") if sign else 0.0
            values += [float(start) + by * k for k in range(int(times) + 1)]
        else:
            values.append(float(word))
    return values


def show(labels: Labels) -> str:
    """A label set in the form that `read_series` reads."""
    pairs = ",".join(f'{n}="{v}"' for n, v in labels if n != METRIC)
    return dict(labels).get(METRIC, "") + (f"{{{pairs}}}" if pairs else "")


def make_store(
    series: Mapping[str, str],
    every_s: float = 15,
    times_ms: Mapping[str, Sequence[int]] | None = None,
) -> SeriesStore:
    """Store of series with a sample each so many seconds from time 0 on, or at times of its own."""
    store = SeriesStore(max_series=1000)
    store.retain(1 << 40)
    for name, text in series.items():
        encoded = encode_labels(read_series(name))
        prints = np.array([fingerprint_bytes(encoded)], np.uint64)
        values = read_values(text)
        row = store.rows(prints, [encoded])
        steps = [int(at * every_s * 1000) for at in range(len(values))]
        for at, value in zip((times_ms or {}).get(name, steps), values, strict=True):
            time = np.array([at], np.int64)
            if isinstance(value, NativeHistogram):
                append_histograms(store, row, time, [value])
            elif value is not None:
                store.append(row, time, np.array([value]))
    return store


def evaluate_at(store: SeriesStore, expression: str, at_s: float) -> dict[str, float]:
    """Result of an expression at a time in seconds, by label set."""
    plan = compile_expression(expression)
    rows, values = plan.evaluate(store, int(at_s * 1000))
    return {
        show(plan.space.labels[row]): value
        for row, value in zip(rows.tolist(), values.tolist(), strict=True)
    }


@pytest.fixture
def load() -> Load:
    """Makes a store."""
    return make_store


@pytest.fixture
def evaluate() -> Evaluate:
    """Evaluates an expression."""
    return evaluate_at
