"""The parts of `auto`: sketches of values, tails of distances, the walk, and the rate of alarms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from detectors.auto import alarms, sketch, tails
from detectors.auto.walk import STATE, walk

FINITE = st.floats(-1e6, 1e6, width=32)


def distances(kept: sketch.Values, asked: sketch.Values) -> sketch.Values:
    """Of what is asked of each row [m, n], with one view and its sketch [m, SIZE]."""
    pivots = sketch.pivots_of(kept[:, None])
    begins = np.arange(len(kept))[:, None] * sketch.SIZE
    flat = kept.reshape(-1)
    return sketch.distance(flat, pivots, slice(0, len(kept)), begins, asked[:, :, None])[:, :, 0]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        arrays.arrays(np.float32, st.integers(0, sketch.SIZE), elements=FINITE),
        min_size=1,
        max_size=3,
    ),
    arrays.arrays(np.float32, 5, elements=FINITE),
)
def test_the_distance_is_that_to_the_nearest(
    held: list[sketch.Values], asked: sketch.Values
) -> None:
    """The search in sorted sketches, of one row or several, finds what comparing with all does; of nothing infinity."""
    kept = np.full((len(held), sketch.SIZE), np.inf, np.float32)
    for row, values in zip(kept, held, strict=True):
        row[: values.size] = np.sort(values)
    expected = np.abs(kept[:, None] - asked[:, None]).min(axis=2)
    assert np.array_equal(expected, distances(kept, np.tile(asked, (len(held), 1))))


@settings(max_examples=30, deadline=None)
@given(arrays.arrays(np.float32, (40, 8), elements=FINITE))
def test_no_value_is_farther_from_the_sketch_than_a_cell(fresh: sketch.Values) -> None:
    """However many values went in, each has a kept one within the cell, and the sketch stays sorted and bounded."""
    kept, grid = np.full((1, sketch.SIZE), np.inf, np.float32), np.zeros(1)
    for values in fresh:
        kept, grid = sketch.merge(kept, grid, values[None, :])
    assert (1, sketch.SIZE) == kept.shape
    assert (kept[0, 1:] >= kept[0, :-1]).all()
    apart = distances(kept, fresh.reshape(1, -1))
    # a value may have been let go of for one that was let go of later
    assert apart.max() <= 4 * grid[0]


def test_an_exponential_tail_is_known_for_one() -> None:
    """The fitted -log10 of an exponential tail is that of the law within a quarter, beyond the past too."""
    distances = np.random.default_rng(0).exponential(size=9_000).astype(np.float32)
    cell = tails.cells(distances, np.zeros(distances.size, np.int16))
    counts = np.bincount(cell, minlength=tails.CELLS).astype(np.uint16)[None, :]
    knots, slopes, beyond = tails.fit(counts, np.zeros(1, np.int16), np.zeros(1), np.ones(1))
    asked = np.array([[0.7], [2.0], [4.0], [8.0], [12.0]], np.float32)
    rare = tails.rareness(asked, list(knots), list(slopes), beyond)
    assert pytest.approx(asked[:, 0] * tails.NEPER, rel=0.25) == rare[:, 0]
    assert 0.0 == tails.rareness(np.zeros((1, 1), np.float32), list(knots), list(slopes), beyond)


def test_a_power_begins_the_tail_further_in() -> None:
    """A tail of the power of a residual begins at the 90 % quantile, and says the same pieces there."""
    distances = np.random.default_rng(0).exponential(size=9_000).astype(np.float32)
    cell = tails.cells(distances, np.zeros(distances.size, np.int16))
    counts = np.bincount(cell, minlength=tails.CELLS).astype(np.uint16)[None, :]
    power = np.full(1, tails.RESIDUAL_POWER)
    knots, slopes, beyond = tails.fit(counts, np.zeros(1, np.int16), np.zeros(1), power)
    assert pytest.approx(np.log(10.0), rel=0.1) == knots[3, 0]
    asked = np.array([[2.4], [4.0], [8.0]], np.float32)
    rare = tails.rareness(asked, list(knots), list(slopes), beyond)
    assert pytest.approx(asked[:, 0] * tails.NEPER / tails.RESIDUAL_POWER, rel=0.25) == rare[:, 0]


def test_a_heavy_tail_is_the_same_up_to_the_last_knot() -> None:
    """Beyond the 98 % quantile a heavy tail says less, by the law of shape 0.2, and more for more."""
    rare = np.array([0.0, 1.0, 1.69, 3.0, 20.0], np.float32)
    told = tails.heavy(rare.copy())
    assert pytest.approx(rare[:3]) == told[:3]
    knot = -np.log10(0.02)
    excess = (rare[3:] - knot) / tails.NEPER
    assert pytest.approx(knot + 5.0 * np.log1p(0.2 * excess) * tails.NEPER, rel=1e-4) == told[3:]


def test_few_distances_say_nothing() -> None:
    """Below the least number of counts every distance has rareness 0."""
    counts = np.zeros((1, tails.CELLS), np.uint16)
    counts[0, 40] = tails.FEWEST_COUNTS - 1
    knots, slopes, beyond = tails.fit(counts, np.zeros(1, np.int16), np.zeros(1), np.ones(1))
    assert 0.0 == tails.rareness(
        np.full((1, 1), 9e9, np.float32), list(knots), list(slopes), beyond
    )


def test_a_crowded_grid_moves_up_and_loses_no_count() -> None:
    """Where the last cell is crowded, distances of 8 octaves more have cells of their own afterwards."""
    counts = np.zeros((2, tails.CELLS), np.uint16)
    counts[:, 10], counts[0, -1] = 50, 40
    after, moved = tails.recentred(counts, np.zeros(2, np.int16))
    assert [tails.MOVE, 0] == moved.tolist()
    assert counts.sum(axis=1).tolist() == after.sum(axis=1).tolist()
    assert 40 == after[0, tails.CELLS - 1 - tails.MOVE]


def test_one_series_walks_as_many_do() -> None:
    """Plain numbers and arrays give the same bits, and a walk that does not follow changes nothing."""
    random = np.random.default_rng(1)
    values, places = random.normal(size=(2, 50)), random.integers(0, 4, (2, 50))
    weights = [np.full((2, 50), share) for share in (0.05, 0.15, 0.002)]
    tables = [np.zeros(8), np.zeros(8, np.uint8)]
    flat = places + np.array([[0], [4]])
    told = [list(share.T) for share in weights]
    start = [np.zeros(2) for _ in STATE]
    many, ends = walk(list(values.T), list(flat.T), told, start, tables, single=False, follow=True)
    own: list[list[float]] = [[0.0] * 4, [0] * 4]
    alone = [share[0].tolist() for share in weights]
    given_ = (values[0].tolist(), places[0].tolist(), alone, [0.0] * len(STATE), own)
    still, _ = walk(*given_, single=True, follow=False)
    one, end = walk(*given_, single=True, follow=True)
    assert [0.0] * 50 == still[0]
    assert [[float(cell[0]) for cell in field] for field in many] == [
        [float(cell) for cell in field] for field in one
    ]
    assert [float(last[0]) for last in ends] == list(end)
    assert tables[0][:4].tolist() == own[0]


def test_rates_and_loudness_are_each_others_inverse() -> None:
    """The loudness of a rate has that rate, and louder is rarer."""
    rates = np.array([0.01, 0.25, 1.0, 7.0, 100.0])
    loudness = alarms.loudness_of(rates)
    assert pytest.approx(rates) == alarms.per_week(loudness)
    assert (np.diff(loudness) < 0).all()
