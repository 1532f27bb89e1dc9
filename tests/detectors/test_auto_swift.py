"""What compiled code makes of `auto` is, bit by bit, what numpy makes of it."""

from unittest.mock import patch

import numpy as np
import pytest

from detectors.auto import swift
from detectors.auto.scores import FIELDS, ViewedScores
from detectors.base import FloatArray
from detectors.registry import create
from schemas.compiled import WORTH_CALLING

SERIES, LENGTH, WIDEST = 70, 420, 40
KINDS = ("noise", "walk", "daily", "sparse", "counter", "holes", "huge", "signs")


@pytest.fixture(scope="module")
def machine() -> None:
    """Have the compiled functions there."""
    swift.MACHINE.load()


def series(kind: str, seed: int) -> FloatArray:
    """Values of some series [SERIES, LENGTH]."""
    random = np.random.default_rng(seed)
    noise = random.normal(0.0, 1.0, (SERIES, LENGTH))
    few = np.where(random.random(noise.shape) < 0.05, noise, 0.0)
    holes = np.where(random.random(noise.shape) < 0.1, np.nan, noise)
    return {
        "noise": 300.0 + noise,
        "walk": np.cumsum(noise, axis=1),
        "daily": 50.0 * np.sin(np.arange(LENGTH) * (2 * np.pi / 144)) + noise,
        "sparse": few,
        "counter": np.cumsum(np.abs(noise), axis=1),
        "holes": np.where(holes > 3.0, np.inf, holes),
        "huge": noise * 10.0 ** random.integers(-160, 150, noise.shape),
        "signs": np.where(few == 0.0, -0.0, few * 1e-40),
    }[kind]


def told(values: FloatArray, direction: str, seed: int) -> tuple[list[bytes], dict[str, bytes]]:
    """All that is said of values that come in calls of different lengths, and what is known in the end."""
    bank = create("auto", {"direction": direction})
    bank.grow(SERIES)
    random, said, begin = np.random.default_rng(seed), [], 0
    while begin < LENGTH:
        size = min(int(random.integers(1, WIDEST)), LENGTH - begin)
        some = np.flatnonzero(random.random(SERIES) < 0.9)
        # one sample of each row, or several of some rows in a call
        width = size if random.random() < 0.5 else 1
        bank.freeze(some[:7], bool(random.random() < 0.5))
        steps = begin + np.tile(np.arange(width), some.size)
        rows = np.repeat(some, width)
        scores = bank.update(rows, steps * 600_000, values[rows, steps])
        assert isinstance(scores, ViewedScores)
        said += [getattr(scores, name).tobytes() for name in FIELDS]
        begin += width
    return said, {name: column.tobytes() for name, column in bank.snapshot().items()}


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("direction", ["both", "up", "down"])
def test_compiled_code_gives_the_bits_of_the_plain_form(kind: str, direction: str) -> None:
    """Whatever the values are, and however they are cut into calls."""
    values = series(kind, 1)
    assert swift.MACHINE.get(WORTH_CALLING) is not None
    swiftly = told(values, direction, 2)
    with patch.object(type(swift.MACHINE), "get", lambda *_: None):
        plainly = told(values, direction, 2)
    assert swiftly == plainly
