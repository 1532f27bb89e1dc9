"""The accuracy of groups: what is counted as found, as false and as rightly blamed."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.groups import apart, judged, measured, recent
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
    one, *others = (measured(servers, "ewma", f"server{n}", "2 per day") for n in (1, 2, 3))
    figure = sum(others, one)
    assert (figure.incidents, figure.found) == (3, 3)
    assert figure.false >= 1
    assert 3 <= figure.right <= figure.named
    assert 0 < figure.right_share <= 1
    assert figure.weeks == pytest.approx(3 * (STEPS - 6) * MINUTE_MS / 604_800_000)
    assert figure.false_per_week == pytest.approx(figure.false / figure.weeks)


def test_members_apart_are_counted_within_ten_minutes(servers: Path) -> None:
    """One member that alarms finds all incidents; no incident of one metric is found where three must alarm."""
    one, several = (apart(servers.parent, servers, 1.0, least) for least in (1, 3))
    assert (one.incidents, one.found) == (3, 3)
    assert one.right >= 3
    assert several.found == 0


def test_the_first_named_are_judged_by_what_is_to_blame() -> None:
    """Of four that are named the first three are looked at, at the first flag that is in time."""
    label, flag = np.zeros(60, np.int8), np.zeros(60, np.bool_)
    cause = np.zeros((60, 5), np.int8)
    label[10:20], label[40:50] = 1, 1
    cause[12, 3] = cause[15, 4] = 1
    flag[[5, 11, 13, 48]] = True
    figure = judged(flag, label, cause, lambda row: [row - 8, 4, 0, 1])
    assert (2, 1, 1) == (figure.incidents, figure.found, figure.false)
    assert (3, 2) == (figure.named, figure.right)


def test_the_largest_of_the_last_rows_stands() -> None:
    """A claim holds for as many rows as are looked at, its own among them."""
    claims = np.array([[0.0], [5.0], [0.0], [1.0], [0.0]])
    assert [0.0, 5.0, 5.0, 1.0, 1.0] == recent(claims, 2)[:, 0].tolist()
