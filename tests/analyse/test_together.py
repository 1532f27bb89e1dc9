"""A table as one group: evidence, blame, and the same answer however it is cut."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from streams.analyse import detect
from streams.analyse.ask import ask
from streams.analyse.together import Together
from streams.analyse.watch import Watch
from streams.cli.main import main

STEPS, FAULT = 400, 300


def table() -> np.ndarray:
    """Five series with a walk in common; the fourth leaves it for five minutes."""
    random = np.random.default_rng(1)
    walk = 0.3 * np.cumsum(random.normal(size=STEPS))
    values = 20 + walk[:, None] + random.normal(size=(STEPS, 5))
    values[FAULT : FAULT + 5, 3] += 12
    return values


TIMES = 1_772_444_800_000 + np.arange(STEPS) * 60_000
COLUMNS = {name: table()[:, at] for at, name in enumerate(("a", "b", "c", "d", "e"))}


def test_a_table_is_one_series_of_evidence() -> None:
    """The answer has a row for each time; what is flagged is the fault, and names the series to blame."""
    found = detect(TIMES, COLUMNS, detector="peers", group=True, false_alarms="1 per day")
    assert found.frame.names == ("group",)
    assert found.frame.times.tolist() == TIMES.tolist()
    flagged = np.flatnonzero(found.judged.flag)
    assert set(range(FAULT, FAULT + 5)) <= set(flagged.tolist())
    assert found.blame[FAULT] == "d"
    told = found.columns
    assert told["explanation"][FAULT].endswith("to blame: d")
    assert told["reason"][FAULT] == "unusual"
    assert told["reason"][0] == "missing"


def test_series_are_compared_where_the_detector_does() -> None:
    """Without `group` a detector that compares members answers for each of them."""
    found = detect(TIMES, COLUMNS, detector="peers")
    flagged = {found.frame.names[row] for row in found.frame.rows[found.judged.flag].tolist()}
    assert flagged == {"d"}


@pytest.mark.parametrize("group", [True, False])
def test_a_table_in_two_calls_is_answered_as_a_whole(group: bool) -> None:
    """One that goes on where the first half ended says of the second half what one call says."""
    whole = detect(TIMES, COLUMNS, detector="pca", group=group)
    watch = (Together if group else Watch)(ask("pca"), interval_ms=60_000)
    halves = [
        detect(TIMES[part], {name: each[part] for name, each in COLUMNS.items()}, watch=watch)
        for part in (slice(None, 250), slice(250, None))
    ]
    for name in ("score", "flag", "reason"):
        joined = np.concatenate(
            [getattr(half.judged, name).reshape(1 if group else 5, -1) for half in halves], axis=1
        )
        expected = getattr(whole.judged, name).reshape(1 if group else 5, -1)
        np.testing.assert_array_equal(joined, expected)


def test_history_is_learnt_first() -> None:
    """With history the group may speak from the first row on."""
    past = TIMES - STEPS * 60_000
    calm = {name: each.copy() for name, each in COLUMNS.items()}
    calm["d"][FAULT : FAULT + 5] -= 12
    found = detect(TIMES, COLUMNS, detector="peers", group=True, warm_start=(past, calm))
    assert "warm_up" not in found.columns["reason"]
    assert found.judged.flag[FAULT]


def test_the_command_says_who_is_to_blame(tmp_path: Path) -> None:
    """`tocsin detect --group` prints one series, and at what is flagged the name of the one to blame."""
    file = tmp_path / "wide.csv"
    rows = zip(TIMES.tolist(), *COLUMNS.values(), strict=True)
    lines = (",".join(map(str, row)) for row in rows)
    file.write_text("time,a,b,c,d,e\n" + "\n".join(lines) + "\n")
    said = CliRunner().invoke(
        main,
        ["detect", str(file), "--detector", "peers", "--group", "--false-alarms", "1 per day"],
    )
    assert said.exit_code == 0
    assert "to blame: d" in said.output
    assert "group" in said.output
