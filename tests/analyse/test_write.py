"""Write: rows for people and for programs."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from streams.analyse import Detected, detect
from streams.analyse.write import HEADS, write_csv, write_json, write_parquet, write_text


@pytest.fixture
def found(times: np.ndarray, values: np.ndarray) -> Detected:
    """An answer with flags and a gap."""
    return detect(times, {"cpu": values}, detector="robust")


def test_csv_holds_every_row(found: Detected) -> None:
    """A row for each sample, empty where a number is not known, and the numbers as they were."""
    out = io.StringIO()
    write_csv(found, out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))

    assert list(HEADS) == list(rows[0])
    assert 1500 == len(rows)
    assert ["cpu", "2026-01-01T11:40:00.000Z", "true", "above"] == [
        rows[700][name] for name in ("series", "time", "flag", "reason")
    ]
    assert ("", "", "missing") == (rows[1100]["value"], rows[1100]["score"], rows[1100]["reason"])
    assert found.judged.expected[700] == float(rows[700]["expected"])


def test_json_lines_hold_nulls(found: Detected) -> None:
    """One object a line; what is no number is null."""
    out = io.StringIO()
    write_json(found, out)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]

    assert 1500 == len(rows)
    assert (None, False) == (rows[1100]["value"], rows[1100]["flag"])
    assert found.judged.score[700] == rows[700]["score"]


def test_parquet_comes_back(found: Detected, tmp_path: Path) -> None:
    """The columns with their types, flagged rows alone where that is asked."""
    write_parquet(found, tmp_path / "a.parquet", flagged=True)
    table = pq.read_table(tmp_path / "a.parquet")

    assert list(HEADS) == table.column_names
    assert int(found.judged.flag.sum()) == table.num_rows
    assert "timestamp[ms, tz=UTC]" == str(table.schema.field("time").type)


def test_text_is_aligned(found: Detected) -> None:
    """Under each head its column; a flag is a star; flagged rows alone where that is asked."""
    out = io.StringIO()
    write_text(found, out, flagged=True)
    heads, *lines = out.getvalue().splitlines()
    at = heads.index("flag")

    assert int(found.judged.flag.sum()) == len(lines)
    assert {"*"} == {line[at] for line in lines}
    assert lines[0].startswith("cpu     2026-01-01T11:40:00.000Z  ")


def test_names_do_not_steer_the_terminal(times: np.ndarray, values: np.ndarray) -> None:
    """Control characters in a series' name are blanks."""
    out = io.StringIO()
    write_text(detect(times[:2], {"a\x1b[2Jb": values[:2]}, detector="robust"), out)

    assert "\x1b" not in out.getvalue()
