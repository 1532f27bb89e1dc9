"""The accuracy of groups: what is counted as found, as false and as rightly blamed."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.groups import measure
from benchmarks.accuracy.kinds import MINUTE_MS

STEPS = 420


@pytest.fixture
def servers(tmp_path: Path) -> Path:
    """Three servers of five metrics: an incident of one metric each, and on the first something that is none."""
    data = {}
    for number in (1, 2, 3):
        random = np.random.default_rng(number)
        values = 10 + random.normal(size=(STEPS, 5))
        label, cause = np.zeros(STEPS, np.int8), np.zeros((STEPS, 5), np.int8)
        values[350:356, 2] += 40
        label[350:356] = 1
        cause[350:356, 2] = 1
        if number == 1:
            values[400, 4] += 40
        data |= {
            f"server{number}|test": values.astype(np.float32),
            f"server{number}|label": label,
            f"server{number}|cause": cause,
        }
    path = tmp_path / "servers.npz"
    np.savez(path, **data)
    return path


def test_incidents_false_alarms_and_blame_are_counted(servers: Path) -> None:
    """Three incidents are found by their metric; what is outside of them is a false alarm, told by the week."""
    figure = measure(servers, "ewma", false_alarms="2 per day")
    assert (figure.incidents, figure.found) == (3, 3)
    assert figure.false >= 1
    assert 3 <= figure.right <= figure.named
    assert 0 < figure.right_share <= 1
    assert figure.weeks == pytest.approx(3 * (STEPS - 6) * MINUTE_MS / 604_800_000)
    assert figure.false_per_week == pytest.approx(figure.false / figure.weeks)
