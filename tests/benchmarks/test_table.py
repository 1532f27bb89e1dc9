import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.row import Goal, Row
from benchmarks.table import as_json, number, show, write_json

FAST = Row(
    "throughput.fused",
    300_000.0,
    "messages/s",
    "make bench",
    "Faust",
    12_000.0,
    Goal("ratio", ">=", 20.0),
)
SLOW = Row("latency.webhook.p99", 123.456, "ms", "make bench", goal=Goal("value", "<=", 100.0))
BENCHMARKS = ["codec", "throughput", "latency"]
PLAIN = Row("codec.ingest", 7.0, "samples/s", "make bench")


def test_a_row_as_json_has_figure_comparison_goal_and_command() -> None:
    """A row says name, value, unit, against what, ratio, goal, whether it is met, and how to repeat it."""
    assert {
        "name": "throughput.fused",
        "value": 300_000.0,
        "unit": "messages/s",
        "against": "Faust",
        "against_value": 12_000.0,
        "ratio": 25.0,
        "goal": "ratio >= 20",
        "met": True,
        "command": "make bench",
    } == FAST.record()


@pytest.mark.parametrize(
    ("row", "ratio", "met"),
    [(FAST, 25.0, True), (SLOW, None, False), (PLAIN, None, None)],
    ids=["ratio met", "value missed", "no goal"],
)
def test_a_goal_is_met_or_missed_or_absent(row: Row, ratio: float | None, met: bool | None) -> None:
    """A goal on the ratio and one on the value are judged; without one there is no verdict."""
    assert (ratio, met) == (row.ratio, row.met)


def test_a_ratio_without_a_figure_to_compare_misses_its_goal() -> None:
    """What has nothing against it cannot meet a goal on the ratio."""
    assert Row("x", 1.0, "ms", "make bench", goal=Goal("ratio", ">=", 1.0)).met is False


def test_json_holds_the_rows_in_order_of_the_benchmarks(tmp_path: Path) -> None:
    """The file holds exactly the rows, in the order of the benchmarks, with four significant digits."""
    path = tmp_path / "results.json"
    write_json([SLOW, FAST], path, BENCHMARKS)
    found = json.loads(path.read_text())
    assert ["throughput.fused", "latency.webhook.p99"] == [row["name"] for row in found]
    assert 123.5 == found[1]["value"]
    assert as_json([FAST, SLOW]) == path.read_text()


def test_a_partial_run_keeps_what_it_did_not_measure(tmp_path: Path) -> None:
    """Rows of a benchmark that was measured anew are replaced, those of the others stay, unknown ones go."""
    path = tmp_path / "results.json"
    gone = Row("forgotten.figure", 1.0, "ms", "make bench")
    path.write_text(as_json([gone, PLAIN, SLOW]))
    write_json([Row("latency.alert.p50", 5.0, "ms", "make bench")], path, BENCHMARKS)
    found = json.loads(path.read_text())
    assert ["codec.ingest", "latency.alert.p50"] == [row["name"] for row in found]


def test_the_table_shows_every_row_with_its_verdict() -> None:
    """The table on the screen holds name, value, ratio, goal and verdict of each row."""
    screen = io.StringIO()
    show([FAST, SLOW, PLAIN], Console(file=screen, width=200))
    lines = {
        row: line
        for line in screen.getvalue().splitlines()
        for row in (FAST, SLOW, PLAIN)
        if row.name in line
    }
    assert 3 == len(lines)
    for text in ("300 k", "25 x", "ratio >= 20", "met"):
        assert text in lines[FAST]
    assert "missed" in lines[SLOW]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (0.1234, "0.123"),
        (12.34, "12.3"),
        (1234.5, "1,234"),
        (12_345.0, "12.3 k"),
        (3e6, "3,000 k"),
    ],
)
def test_figures_are_short(value: float | None, shown: str) -> None:
    """A figure has about three digits, thousands from ten thousand on."""
    assert shown == number(value)
