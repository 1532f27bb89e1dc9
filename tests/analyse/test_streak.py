"""Streak: stretches at once, with the numbers of one sample at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from detectors import registry
from detectors.base import Detector, Scores
from streams.analyse.streak import Streak, create

NAMES = ("robust", "gaussian", "ewma")
COLUMNS = ("raw", "score", "expected", "low", "high", "reason")
PARAMETERS: tuple[dict[str, object], ...] = (
    {},
    {"direction": "up", "warm_up_samples": 7},
    {"tail": "normal", "warm_up_samples": 11, "direction": "down"},
)


def _followed(
    bank: Streak, times: np.ndarray, values: np.ndarray, below: float
) -> dict[str, np.ndarray]:
    """Scores of series 1, calm stretches at once and the rest one by one."""
    parts: list[Scores] = []
    done = 0
    while done < len(values):
        taken, scores = bank.calm(1, times[done:], values[done:], below)
        parts.append(scores)
        done += taken
        one = slice(done, done + 1)
        parts.append(bank.update(np.ones(len(values[one]), np.int64), times[one], values[one]))
        done += 1
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}


def _assert_same(
    name: str,
    parameters: dict[str, object],
    times: np.ndarray,
    values: np.ndarray,
    below: float = 0.999,
) -> None:
    single, bank = registry.create(name, parameters), create(name, parameters)
    assert isinstance(bank, Streak)
    single.grow(2)
    bank.grow(2)
    scores = single.update(np.ones(len(values), np.int64), times, values)
    found = _followed(bank, times, values, below)
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(scores, column), found[column], column)
    state = bank.snapshot()
    for column, cells in single.snapshot().items():
        np.testing.assert_array_equal(cells, state[column], column)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("parameters", PARAMETERS, ids=lambda p: "-".join(p) or "defaults")
def test_a_stretch_is_its_samples_one_by_one(name: str, parameters: dict[str, object]) -> None:
    """Scores, bands, reasons and the state afterwards are the same bits, through spikes, steps and constants."""
    values = 10 + np.random.default_rng(3).normal(size=2500)
    values[500:503] += 12
    values[1000:] += 3
    values[1500:1560] = 4.0
    times = 60_000 * np.arange(2500)

    _assert_same(name, parameters, times, values)


@pytest.mark.parametrize("half_life_seconds", [600.0, 90_000.0])
def test_uneven_steps_weigh_as_they_do_one_by_one(half_life_seconds: float) -> None:
    """`ewma` with its half-life in seconds is the same when times jump, stand still and go back."""
    rng = np.random.default_rng(4)
    times = np.cumsum(rng.integers(-5_000, 120_000, 900))

    _assert_same("ewma", {"half_life_seconds": half_life_seconds}, times, rng.normal(size=900))


@given(
    hnp.arrays(
        np.float64, st.integers(1, 300), elements=st.floats(-1e9, 1e9) | st.sampled_from([0.0, 1.0])
    ),
    st.sampled_from(NAMES),
    st.integers(2, 40),
    st.sampled_from([0.5, 0.99, 0.99999]),
)
@settings(max_examples=40, deadline=None)
def test_whatever_the_values(
    values: np.ndarray, name: str, warm_up_samples: int, below: float
) -> None:
    """Whatever the values, the warm-up and the score to stop at: the same bits."""
    times = 1_000 * np.arange(len(values))

    _assert_same(name, {"warm_up_samples": warm_up_samples}, times, values, below)


def test_a_frozen_row_is_left_to_update() -> None:
    """Of a frozen row nothing is taken, as of one with the refractory on."""
    frozen, hushed = create("robust", {}), create("robust", {"refractory": True})
    frozen.grow(1)
    hushed.grow(1)
    frozen.freeze(np.array([0]), True)
    times, values = np.arange(50), np.ones(50)

    assert [0, 0] == [_taken(bank, times, values) for bank in (frozen, hushed)]


def _taken(bank: Detector, times: np.ndarray, values: np.ndarray) -> int:
    assert isinstance(bank, Streak)
    return bank.calm(0, times, values, 0.99)[0]


def test_what_has_no_such_form_is_made_as_it_is() -> None:
    """A detector without a streak is the registry's own."""
    assert type(registry.create("seasonal", {})) is type(create("seasonal", {}))
