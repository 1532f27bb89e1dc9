"""`python -m benchmarks.accuracy --only detection`: how detection is judged, and that all its tables are made."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.accuracy import alarms, detection, events, nab, report
from benchmarks.accuracy.__main__ import main
from benchmarks.accuracy.kinds import KINDS, Events, Series, spans
from benchmarks.accuracy.parts import Part, done
from benchmarks.accuracy.shop import series as shop
from detectors.base import FloatArray

ROWS = 400
HOUR = 3_600


def of(labelled: Events, limit: int = 3, rows: int = ROWS) -> Series:
    """A series by the hour, with events."""
    times = np.arange(rows, dtype=np.int64) * HOUR * 1000
    return Series("one", times, np.zeros(rows), labelled, limit)


def loud(*rows: int, size: int = ROWS) -> dict[str, FloatArray]:
    """Scores that are 1 in these rows."""
    scores = np.zeros(size)
    scores[list(rows)] = 1.0
    return {"one": scores}


def test_nab_gives_all_for_the_first_rows_of_windows_and_nothing_for_silence() -> None:
    """The ends of the scale are those of the published formula."""
    series = of(((100, 119), (300, 309)))
    assert 100.0 == pytest.approx(nab.judge([series], loud(100, 300), 1.0).score)
    assert 0.0 == nab.judge([series], loud(), 1.0).score


def test_nab_counts_the_earliest_detection_and_what_is_false() -> None:
    """Later rows of a window add nothing; a row before any window costs 0.11; the first 15 % cost nothing."""
    series = of(((100, 119),))
    once = nab.judge([series], loud(100), 1.0)
    assert once == nab.judge([series], loud(100, 110), 1.0)
    assert once == nab.judge([series], loud(5, 100), 1.0)
    false = nab.judge([series], loud(80, 100), 1.0)
    assert 100.0 - 50.0 * 0.11 == pytest.approx(false.score)
    assert 1 == false.false_rows


def test_nab_finds_the_best_threshold() -> None:
    """Of two loudnesses the one is taken that tells the window and not the noise."""
    scores = np.zeros(ROWS)
    scores[100], scores[200:280] = 0.9, 0.5
    best = nab.judge([of(((100, 119),))], {"one": scores})
    assert (0.9, 1, 0) == (best.threshold, best.found, best.false_rows)


def test_an_event_is_found_on_its_first_rows_alone() -> None:
    """Row k still counts, the next does not, and rows of the event after that are no false alarms either."""
    series = of(((100, 119),), limit=3)
    assert 1.0 == events.judge([series], loud(103), 1.0).f1
    late = events.judge([series], loud(104), 1.0)
    assert (0, 0, 0.0) == (late.found, late.false, late.f1)


def test_false_alarms_are_counted_by_slots() -> None:
    """What never stops firing has a false alarm in each k + 1 rows, not one in all."""
    always = events.judge([of(((100, 119),), limit=3)], {"one": np.ones(ROWS)}, 1.0)
    assert (1, (100 + 280) // 4) == (always.found, always.false)


def test_the_best_threshold_of_events_is_the_best_of_all() -> None:
    """No threshold that is tried gives a higher F1."""
    scores = {"one": np.random.default_rng(0).random(ROWS)}
    corpus = [of(((100, 119), (200, 219), (300, 310)))]
    best = events.judge(corpus, scores)
    assert all(
        best.f1 >= events.judge(corpus, scores, threshold).f1 for threshold in np.linspace(0, 1, 50)
    )


def test_tallies_add_up_to_the_scores() -> None:
    """What each series brings at a threshold gives the same scores, added up, as all series at once."""
    claims = {"one": np.random.default_rng(1).random(ROWS)}
    series = of(((100, 119), (200, 219)))
    tried = np.array([0.5, 0.9, 0.99])
    for number, threshold in enumerate(tried.tolist()):
        won, cost, windows = nab.tally(series, claims["one"], tried)[number]
        expected = nab.judge([series], claims, threshold).score
        assert expected == pytest.approx(50.0 * (won + cost + windows) / windows)
        found, false, labelled = events.tally(series, claims["one"], tried)[number]
        expected = events.judge([series], claims, threshold).f1
        assert expected == pytest.approx(2.0 * found / (found + false + labelled))


def test_alarms_are_runs_of_flags_outside_of_events() -> None:
    """Three runs in the weeks outside are so many a week."""
    claims = loud(10, 11, 50, 105, 200)
    claims["one"][claims["one"] == 0] = -np.inf
    series = of(((100, 119),))
    assert 380 / 168 == pytest.approx(alarms.weeks(series))
    assert 3 / (380 / 168) == pytest.approx(alarms.came([series], claims, 1.0))


def test_spans_are_runs_of_labels() -> None:
    """Runs at both ends count."""
    assert ((0, 1), (3, 3), (5, 5)) == spans(np.array([1, 1, 0, 1, 0, 1]))


def test_the_shop_is_calm_and_the_same_each_time() -> None:
    """Two runs give the same numbers, without an event."""
    first, again = list(shop(30)), list(shop(30))
    assert all(np.array_equal(a.values, b.values) for a, b in zip(first, again, strict=True))
    assert not any(series.events for series in first)


def test_alarms_within_an_event_of_the_machine_do_not_count_for_its_metrics() -> None:
    """A metric's alarm in an event of other metrics is no false one where the machine's events are looked at."""
    series = replace(of(((100, 119),)), whole=((100, 119), (195, 205)))
    claims = loud(10, 200)
    claims["one"][claims["one"] == 0] = -np.inf
    assert 2 / (380 / 168) == pytest.approx(alarms.came([series], claims, 1.0))
    assert 1 / (369 / 168) == pytest.approx(alarms.came(alarms.wider([series]), claims, 1.0))


def test_parts_are_shared_out_by_processes() -> None:
    """Two processes give the answers that one gives, each under its key."""
    work = [Part(str(number), math.sqrt, (number,)) for number in range(5)]
    expected = dict(done(work, 1))
    assert {"4": 2.0} == {key: expected[key] for key in ("4",)}
    assert expected == dict(done(work, 2))


def sets(folder: Path) -> None:
    """The three sets in their own forms, a series or three of each."""
    random = np.random.default_rng(0)
    (folder / "nab" / "labels").mkdir(parents=True)
    (folder / "nab" / "data" / "kind").mkdir(parents=True)
    stamps = [f"2026-01-{1 + n // 24:02d} {n % 24:02d}:00:00" for n in range(ROWS)]
    values = random.normal(size=ROWS)
    values[300] = 30.0
    labels = {f"kind/{n}.csv": [[stamps[295], stamps[305]]] for n in range(2)}
    (folder / "nab" / "labels" / "combined_windows.json").write_text(json.dumps(labels))
    for name in labels:
        rows = [f"{stamp},{value}" for stamp, value in zip(stamps, values, strict=True)]
        (folder / "nab" / "data" / name).write_text("\n".join(["timestamp,value", *rows]))
    label = np.zeros(ROWS, np.int8)
    label[300:305] = 1
    times = np.arange(ROWS) * HOUR
    cloud = {
        f"s{n}|{key}": column
        for n in range(2)
        for key, column in (("time", times), ("value", values), ("label", label))
    }
    np.savez(folder / "cloud60.npz", **cloud)
    metrics = np.column_stack([values, random.normal(size=ROWS)])
    servers = {}
    for server in ("server1", "server2", "server3"):
        servers[f"{server}|test"], servers[f"{server}|label"] = metrics, label
        servers[f"{server}|cause"] = np.column_stack([label, 0 * label])
    np.savez(folder / "servers.npz", **servers)


def test_all_tables_are_made_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every set is read from its own form, every table is printed, and what is missed is told."""
    sets(tmp_path)
    output = tmp_path / "accuracy.json"
    monkeypatch.setattr(
        detection, "TABLE", {"auto": {}, "ewma with refractory": {"refractory": True}}
    )
    monkeypatch.setattr(detection, "ABLATIONS", detection.ABLATIONS[:2])
    monkeypatch.setattr(detection, "HALVES", 2)
    monkeypatch.setattr(report, "GROUP_DETECTORS", ("ewma",))
    monkeypatch.setattr(alarms.shop, "series", lambda: shop(200))
    given = ["--data", str(tmp_path), "--output", str(output), "--only", "detection"]
    given += ["--processes", "1"]

    result = CliRunner().invoke(main, given)

    assert 0 == result.exit_code, result.output
    assert "MISSED" in result.output or "met" in result.output
    written = json.loads(output.read_text())
    assert {kind.name for kind in KINDS} <= {key.split(".")[1] for key in written}
    for key in (
        "detection.cloud60.auto",
        "detection.nab.left_out",
        "detection.servers.halves",
        "detection.shop.came_for_one_asked",
        "detection.groups.ewma",
        "detection.groups.any_member",
        "detection.servers_machine.came_for_one_asked",
        "detection.ablation.cloud60.no_calibration",
    ):
        assert key in written
    assert 2 == written["detection.cloud60.auto"]["events"]
