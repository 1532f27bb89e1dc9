"""Read: tables and graphs from files of every form, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from streams.produce.refusal import Refusal, ReplayError
from streams.rank import Column
from streams.rank.read import read_graph, read_table

COLUMNS = (Column("db", "cpu"), Column("web", ""))
VALUES = [[1.0, 2.0], [np.nan, 4.0]]
TIMES = [1_767_225_600_000, 1_767_225_660_000]

CSV = "time,db|cpu,web\n1767225600,1,2\n2026-01-01T00:01:00Z,,4\n"
SEMICOLONS = "Timestamp;db|cpu;web\n1767225600;1;2\n1767225660;nan;4\n"
LINES = '{"ts": 1767225600, "db|cpu": 1, "web": 2}\n{"ts": 1767225660, "web": 4}\n'


@pytest.mark.parametrize(
    ("name", "text"), [("a.csv", CSV), ("a.txt", SEMICOLONS), ("a.jsonl", LINES)]
)
def test_a_text_is_read(tmp_path: Path, name: str, text: str) -> None:
    """CSV with any usual delimiter, and JSON lines, are the same table; a missing value is NaN."""
    (tmp_path / name).write_text(text)
    table = read_table([tmp_path / name])

    assert COLUMNS == table.columns
    assert TIMES == table.times.tolist()
    np.testing.assert_array_equal(VALUES, table.values)


@pytest.mark.parametrize("whole", [True, False])
def test_an_npz_is_read(tmp_path: Path, whole: bool) -> None:
    """Rows x columns with their names, or one array a column."""
    values, times = np.array(VALUES), np.array(TIMES) / 1000
    if whole:
        np.savez(tmp_path / "a.npz", time=times, values=values, columns=["db|cpu", "web"])
    else:
        np.savez(tmp_path / "a.npz", **{"time": times, "db|cpu": values[:, 0], "web": values[:, 1]})
    table = read_table([tmp_path / "a.npz"])

    assert COLUMNS == table.columns
    np.testing.assert_array_equal(VALUES, table.values)


def test_a_parquet_is_read(tmp_path: Path) -> None:
    """Its timestamps are times as they are."""
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    times = pa.array(TIMES, pa.timestamp("ms", tz="UTC"))
    table = pa.table({"time": times, "db|cpu": [1.0, None], "web": [2, 4]})
    parquet.write_table(table, tmp_path / "a.parquet")

    found = read_table([tmp_path / "a.parquet"])

    assert TIMES == found.times.tolist()
    np.testing.assert_array_equal(VALUES, found.values)


def test_files_are_joined_on_the_time(tmp_path: Path) -> None:
    """A time that one file lacks is NaN in its columns."""
    (tmp_path / "a.csv").write_text("time,a\n1767225600,1\n1767225720,3\n")
    (tmp_path / "b.csv").write_text("time,b\n1767225660,2\n")
    table = read_table([tmp_path / "a.csv", tmp_path / "b.csv"])

    np.testing.assert_array_equal([[1, np.nan], [np.nan, 2], [3, np.nan]], table.values)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("when,a\n1767225600,1\n", Refusal.NO_TIME_COLUMN),
        ("time,a\nnoon,1\n", Refusal.BAD_TIME),
        ("time,a\n1767225600,much\n", Refusal.BAD_VALUE),
        ("time,a\n1767225600\n", Refusal.BAD_ROW),
        ("time,a,a\n1767225600,1,2\n", Refusal.BAD_ROW),
        ('{"time": 1,\n', Refusal.NOT_JSON),
        ("", Refusal.NO_TIME_COLUMN),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, text: str, reason: Refusal) -> None:
    """Each with its reason, and the file's name."""
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ReplayError, match=r"a\.csv") as refused:
        read_table([tmp_path / "a.csv"])

    assert reason is refused.value.reason


def test_a_column_in_two_files_is_refused(tmp_path: Path) -> None:
    """Which of the two to believe is not guessed."""
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("time,a\n1767225600,1\n")
    with pytest.raises(ReplayError, match="comes twice"):
        read_table([tmp_path / "a.csv", tmp_path / "b.csv"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("g.json", '{"web": ["db", "cache"]}'),
        ("g.json", '[["web", "db"], {"caller": "web", "callee": "cache"}]'),
        ("g.csv", "Source,Target,Weight\nweb,db,1\nweb,cache,1\n"),
        ("g.csv", "web,db\nweb,cache\n"),
    ],
)
def test_a_graph_is_read(tmp_path: Path, name: str, text: str) -> None:
    """Callees by caller, or a list of edges, with or without heads."""
    (tmp_path / name).write_text(text)

    assert ("cache", "db") == read_graph(tmp_path / name).callees("web")


@pytest.mark.parametrize("text", ["{", '{"web": "db"}', "[1]", '["ab"]', '[["web"]]'])
def test_what_is_no_graph_is_refused(tmp_path: Path, text: str) -> None:
    """Anything but edges is refused."""
    (tmp_path / "g.json").write_text(text)
    with pytest.raises(ReplayError, match=r"g\.json"):
        read_graph(tmp_path / "g.json")
