"""Series to analyse, and the browser of the demo's tests."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.demo.conftest import chromium

__all__ = ["chromium"]

START_MS = 1_767_225_600_000
STEP_MS = 60_000


@pytest.fixture
def times() -> NDArray[np.int64]:
    """One sample a minute."""
    return START_MS + STEP_MS * np.arange(1500)


@pytest.fixture
def values() -> NDArray[np.float64]:
    """Noise with a spike of three samples at 700, a lasting step at 900, and a gap at 1100."""
    found: NDArray[np.float64] = 10 + np.random.default_rng(7).normal(size=1500)
    found[700:703] += 15
    found[900:] += 6
    found[1100:1110] = np.nan
    found[1200] = np.inf
    return found
