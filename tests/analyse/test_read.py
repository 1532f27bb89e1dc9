"""Read: series from files of every form, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from streams.analyse.read import Frame, read
from streams.produce.refusal import ReplayError

MINUTE = 60_000
START = 1_767_225_600
TIMES = [1000 * START, 1000 * START + MINUTE] * 2

CSV = f"time,cpu,memory\n{START},1,3\n{START + 60},,4\n"
LINES = f'{{"ts": {START}, "cpu": 1, "memory": 3}}\n{{"ts": {START + 60}, "memory": 4}}\n'


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "a.npz"])
def test_a_wide_table_is_a_series_for_each_column(tmp_path: Path, name: str) -> None:
    """Every form of file gives the same series, NaN where a value is missing."""
    path, nan = tmp_path / name, float("nan")
    columns = {"time": [START, START + 60], "cpu": [1.0, nan], "memory": [3.0, 4.0]}
    match path.suffix:
        case ".npz":
            np.savez(path, **columns)
        case ".parquet":
            pq.write_table(pa.table(columns), path)
        case suffix:
            path.write_text(CSV if suffix == ".csv" else LINES)
    frame = read(path)

    assert ("cpu", "memory") == frame.names
    assert [0, 0, 1, 1] == frame.rows.tolist()
    assert TIMES == frame.times.tolist()
    np.testing.assert_array_equal([1, nan, 3, 4], frame.values)


def _read(tmp_path: Path, text: str, name: str = "a.csv", **named: Any) -> Frame:
    (tmp_path / name).write_text(text)
    return read(tmp_path / name, **named)


def test_labels_tell_series_apart(tmp_path: Path) -> None:
    """A column `metric`, label sets and columns of text make a series for each of their values."""
    wide = "time,host,cpu\n1,web,1\n1,db,2\n2,web,3\n"
    long = "".join(
        f'{{"ts": {at}, "metric": "cpu", "value": 1, "labels": {{"host": "{host}"}}}}\n'
        for at, host in ((1, "web"), (1, "db"), (2, "web"))
    )
    for name, text in (("a.csv", wide), ("a.jsonl", long)):
        frame = _read(tmp_path, text, name)

        assert ("cpu{host=web}", "cpu{host=db}") == frame.names
        assert [0, 0, 1] == frame.rows.tolist()


def test_columns_can_be_named(tmp_path: Path) -> None:
    """Only the columns asked for are series; a time of any name will do."""
    frame = _read(tmp_path, "when,a,b,c\n1,1,2,3\n2,4,5,6\n", time="when", values=("c", "a"))

    assert ("c", "a") == frame.names
    assert [3, 6, 1, 4] == frame.values.tolist()


def test_rows_without_a_time_are_even_steps(tmp_path: Path) -> None:
    """Where the step is given, no column of times is needed."""
    frame = _read(tmp_path, "a,b\n1,2\n4,5\n", step_ms=MINUTE)

    assert ("a", "b") == frame.names
    assert [0, MINUTE, 0, MINUTE] == frame.times.tolist()


def test_disorder_is_sorted_and_counted(tmp_path: Path) -> None:
    """Rows are put in order of time; how many were out of order, or came twice, is known."""
    frame = _read(tmp_path, "time,v\n1,1\n3,3\n2,2\n2,5\n")

    assert [1, 2, 5, 3] == frame.values.tolist()
    assert (1, 1) == (frame.unsorted, frame.repeated)


@pytest.mark.parametrize(
    ("text", "named", "said"),
    [
        ("", {}, "a.csv: holds no rows"),
        ("time,v\n", {}, "a.csv: holds no rows"),
        ("time,v\n1,1\n\n2,x\n3,3\n4,4\n", {}, r"a.csv:4: 'x' under v is no number"),
        ("time,v,w\n1,1,5\n2,x,5\n3,3,5\n", {}, r"a.csv:3: 'x' under v is no number"),
        ("time,v\n1,1\n2,x\n", {"values": ("v",)}, r"a.csv:3: 'x' under v is no number"),
        ("time,v\n1,1\n04/05/2014,2\n", {}, r"a.csv:3: '04/05/2014' is no time"),
        ("time,v\n1,1\n,2\n", {}, r"a.csv:3: '' is no time"),
        ("when,v\n1,1\n", {}, "none of when, v is named like a time"),
        ("time,latency\n1,1\n", {"values": ("latenzy",)}, "did you mean 'latency'"),
        ("when,v\n1,1\n", {"time": "whem"}, "did you mean 'when'"),
        ("time,v\n1,a\n", {}, "none of time, v holds the values"),
    ],
)
def test_what_makes_no_sense_is_refused(
    tmp_path: Path, text: str, named: dict[str, object], said: str
) -> None:
    """File, line and what is wrong; a mistyped column gets the nearest."""
    with pytest.raises(ReplayError, match=said):
        _read(tmp_path, text, **named)


@pytest.mark.parametrize(
    "cell", ["1767225600", "1767225600000", "1767225600000000", "2026-01-01 00:00"]
)
def test_times_have_any_unit(tmp_path: Path, cell: str) -> None:
    """Seconds, milliseconds, microseconds and texts are one moment."""
    assert [1000 * START] == _read(tmp_path, f"time,v\n{cell},1\n").times.tolist()


def test_an_answer_of_prometheus_is_read(tmp_path: Path) -> None:
    """Series by name and labels; what is no number is left out; another answer, or an empty one, is refused."""
    path = tmp_path / "range.json"
    series: list[dict[str, object]] = [
        {
            "metric": {"__name__": "up", "job": "a"},
            "values": [[1.5, "1"], [2.5, "NaN"], [3.5, "3"]],
        },
        {"metric": {}, "values": [[1, "7"]]},
    ]
    answer = {"status": "success", "data": {"resultType": "matrix", "result": series}}
    path.write_text(json.dumps(answer))
    frame = read(path)
    assert ("up{job=a}", "value") == frame.names
    assert [1500, 3500, 1000] == frame.times.tolist()
    assert [1.0, 3.0, 7.0] == frame.values.tolist()
    for kind in ("vector", "matrix"):
        path.write_text(
            json.dumps({"status": "success", "data": {"resultType": kind, "result": []}})
        )
        with pytest.raises(ReplayError, match=r"range\.json"):
            read(path)


@pytest.mark.parametrize("cells", [[""] * 3, ["nan"] * 3])
def test_a_series_of_which_nothing_is_known_is_one(tmp_path: Path, cells: list[str]) -> None:
    """A column without a number is a series of missing samples where there is no other, and none beside others."""
    rows = "".join(f"{START + 60 * at},{cell}\n" for at, cell in enumerate(cells))
    frame = _read(tmp_path, f"time,latency\n{rows}")
    assert (("latency",), 3) == (frame.names, int(np.isnan(frame.values).sum()))
    beside = "".join(f"{START + 60 * at},{cell},1\n" for at, cell in enumerate(cells))
    assert ("cpu",) == _read(tmp_path, f"time,comment,cpu\n{beside}").names


def test_a_series_that_begins_late_is_no_label(tmp_path: Path) -> None:
    """Empty cells at the beginning say nothing of a column; its first numbers do."""
    rows = "".join(f"{START + at},{at},{at if at > 150 else ''}\n" for at in range(300))
    frame = _read(tmp_path, f"time,a,b\n{rows}")
    assert ("a", "b") == frame.names
    assert 151 == int(np.isnan(frame.values).sum())


def test_an_array_of_columns_is_a_series_for_each(tmp_path: Path) -> None:
    """An npz may hold rows x columns under any name."""
    np.savez(tmp_path / "a.npz", time=[START, START + 60], load=np.arange(4.0).reshape(2, 2))
    frame = read(tmp_path / "a.npz")
    assert ("load_0", "load_1") == frame.names
    assert [0.0, 2.0, 1.0, 3.0] == frame.values.tolist()


@pytest.mark.parametrize("content", [b"", b"PK nothing", b"PK\x03\x04nothing"])
def test_what_is_no_npz_is_refused_without_advice_of_numpy(tmp_path: Path, content: bytes) -> None:
    """Empty, of another form, or cut: one line."""
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ReplayError, match=r"no npz file of plain arrays \(unreadable\)$"):
        read(tmp_path / "a.npz")


def test_without_times_both_ways_out_are_named(tmp_path: Path) -> None:
    """A column, or steps."""
    with pytest.raises(ReplayError, match="use --time, or --interval"):
        _read(tmp_path, "a,b\n1,2\n")


def test_numbers_that_are_none_are_shown(tmp_path: Path) -> None:
    """Decimal commas, for one: the first of them says why no column holds values."""
    with pytest.raises(ReplayError, match="'1,5' under load is no number"):
        _read(tmp_path, f"time;load\n{START};1,5\n{START + 60};1,7\n")
