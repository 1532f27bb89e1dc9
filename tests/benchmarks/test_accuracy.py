"""`python -m benchmarks.accuracy`: how trials are judged, and what happens without the data."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.accuracy import petshop
from benchmarks.accuracy.__main__ import main
from benchmarks.accuracy.trial import Score, score, spread_over_halves

HOUR = 12
CALM = 10 * HOUR
FIVE_MINUTES = 300


def petshop_set(path: Path) -> None:
    """One issue in the set's own form: a caller becomes slow since its callee does."""
    noise = np.random.default_rng(0)
    columns = np.array(["site|latency|Average|", "db|latency|Average|"])
    calm = 1 + 0.02 * noise.standard_normal((CALM, 2))
    times = 1_690_000_000 + FIVE_MINUTES * np.arange(CALM)
    issue = 1 + 0.02 * noise.standard_normal((5, 2))
    issue[1:] += [0.8, 1.0]
    target = {
        "target": {"node": "site", "metric": "latency", "agg": "Average"},
        "root_cause": {"node": "db"},
    }
    arrays = {
        "low_traffic/test/issue_0|values": issue,
        "low_traffic/test/issue_0|columns": columns,
        "low_traffic/test/issue_0|index": 1_700_000_000 + FIVE_MINUTES * np.arange(5),
        "low_traffic/test/issue_0|target": np.array(json.dumps(target)),
        "low_traffic|graph": np.array(",site,db\nsite,0,1\ndb,0,0\n"),
    }
    for traffic in ("low", "high"):
        name = f"{traffic}_traffic/noissue"
        arrays |= {f"{name}|values": calm, f"{name}|columns": columns, f"{name}|index": times}
    np.savez(path, **arrays)


def test_a_score_counts_misses_as_wrong() -> None:
    """First, third, sixth and not at all: AC@1 a quarter, AC@3 half, Avg@5 from all five."""
    assert Score(0.25, 0.5, pytest.approx(0.4), 4) == score([1, 3, 6, None])


def test_halves_spread_around_the_whole() -> None:
    """The whole lies between the quantiles over halves, and the same comes out each time."""
    places: list[int | None] = [1, 1, 2, 5, None, 1, 3, 1]
    low, high = spread_over_halves(places)

    assert low <= score(places).avg5 <= high
    assert (low, high) == spread_over_halves(places)


def test_a_petshop_issue_is_found(tmp_path: Path) -> None:
    """The alarm comes in the row of the fault, and with the graph the callee is named first."""
    petshop_set(tmp_path / "petshop.npz")
    (trial,) = petshop.trials(tmp_path / "petshop.npz")

    assert trial.begun == trial.alarm
    assert 1 == trial.place(own_alarm=True, graph=True, symptom=True)


def test_without_the_data_it_says_where_they_come_from() -> None:
    """Nothing is measured, loudly, and that is no failure."""
    result = CliRunner().invoke(main, [])

    assert 0 == result.exit_code
    assert 5 == result.output.count("SKIPPED")
    assert "petshop-root-cause-analysis" in result.output


def test_what_is_in_the_file_stays(tmp_path: Path) -> None:
    """The figures of the set that is there are written, and foreign keys are kept."""
    petshop_set(tmp_path / "petshop.npz")
    output = tmp_path / "accuracy.json"
    output.write_text('{"detection.nab": {"score": 1}}')

    result = CliRunner().invoke(main, ["--data", str(tmp_path), "--output", str(output)])
    written = json.loads(output.read_text())

    assert 0 == result.exit_code
    assert {"score": 1} == written["detection.nab"]
    assert 1.0 == written["causes.petshop.all.own_alarm.graph.symptom"]["ac1"]


def test_a_missed_floor_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A figure under its floor is written, said, and ends with exit code 1."""
    petshop_set(tmp_path / "petshop.npz")
    floor = {("petshop", "own alarm", True, True): {"ac1": 1.01}}
    monkeypatch.setattr("benchmarks.accuracy.__main__.FLOORS", floor)
    output = tmp_path / "accuracy.json"

    result = CliRunner().invoke(main, ["--data", str(tmp_path), "--output", str(output)])

    assert 1 == result.exit_code
    assert "MISSED" in result.output
    assert (
        "MISSED"
        == json.loads(output.read_text())["causes.petshop.all.own_alarm.graph.symptom"]["met"]
    )
