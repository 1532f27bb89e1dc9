"""`tocsin detect`: files in, rows, a summary and a page out."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Cli

START = 1_767_225_600


def _rows(first: int, last: int) -> str:
    values = 10 + np.random.default_rng(7).normal(size=1000)
    values[700:703] += 15
    lines = [f"{START + 60 * at},{value:.4f}" for at, value in enumerate(values)][first:last]
    return "\n".join(["time,cpu", *lines]) + "\n"


@pytest.fixture(autouse=True)
def _files(folder: Path) -> None:
    for name, first, last in (("whole", 0, 1000), ("first", 0, 650), ("second", 650, 1000)):
        (folder / f"{name}.csv").write_text(_rows(first, last))


def _csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_rows_then_the_series_in_short(cli: Cli) -> None:
    """Every row is printed, flagged ones with a star, then the summary."""
    lines = cli("detect", "--detector", "robust", "whole.csv").stdout.splitlines()

    assert 1003 == len(lines)
    assert ["cpu", "1000", "0", "3", "1"] == lines[-1].split()[:5]
    assert ["*", "*", "*"] == [line.split()[7] for line in lines[701:704]]


def test_only_flagged_rows(cli: Cli) -> None:
    """`--flagged` leaves out the rest, of rows and not of the summary."""
    lines = cli("detect", "--detector", "robust", "whole.csv", "--flagged").stdout.splitlines()

    assert 6 == len(lines)
    assert lines[1].startswith("cpu     2026-01-01T11:40:00.000Z")


@pytest.mark.parametrize("detector", ["robust", "seasonal"])
def test_a_file_in_two_is_the_whole(cli: Cli, detector: str) -> None:
    """With `--carry` two halves are answered as the whole file; without it the second begins anew."""
    settings = ("--detector", detector, "--output", "csv", "--set", "warm_up_samples=30")
    if detector == "seasonal":
        settings = (*settings, "--set", "season_ms=3600000", "--false-alarms", "3 per day")
    whole, carried, apart = (
        _csv(cli("detect", "--detector", "robust", *files, *settings).stdout)
        for files in (
            ["whole.csv"],
            ["first.csv", "second.csv", "--carry"],
            ["first.csv", "second.csv"],
        )
    )

    def bare(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        return [{**row, "series": ""} for row in rows]

    assert bare(whole) == bare(carried)
    assert bare(whole[:650]) == bare(apart[:650])
    assert "warm_up" == apart[650]["reason"]
    assert {"first/cpu", "second/cpu"} == {row["series"] for row in carried}


def test_history_is_learnt_and_not_told(cli: Cli) -> None:
    """`--warm-start`: the first row of the file is judged, and the history's rows are not printed."""
    rows = _csv(
        cli(
            "detect",
            "--detector",
            "robust",
            "second.csv",
            "--warm-start",
            "first.csv",
            "--output",
            "csv",
        ).stdout
    )

    assert 350 == len(rows)
    assert "ok" == rows[0]["reason"]
    assert [50, 51, 52] == [at for at, row in enumerate(rows) if row["flag"] == "true"]


def test_settings_are_obeyed(cli: Cli) -> None:
    """Direction, least change and the detector's own parameters decide what is flagged."""
    flags = [
        cli(
            "detect", "--detector", "robust", "whole.csv", "--flagged", "--output", "csv", *words
        ).stdout.count("true")
        for words in (
            ("--set", "window_samples=200"),
            ("--direction", "down"),
            ("--min-change", "5"),
            ("--min-effect", "100"),
        )
    ]

    assert [3, 0, 0, 0] == flags


def test_rows_for_programs_stand_alone(cli: Cli, folder: Path) -> None:
    """JSON lines fill standard output and the summary goes to the other; `--out` frees the first for it."""
    apart = cli("detect", "--detector", "robust", "whole.csv", "--output", "json")
    filed = cli(
        "detect",
        "--detector",
        "robust",
        "whole.csv",
        "--output",
        "parquet",
        "--out",
        "rows.parquet",
    )

    assert 1000 == len([json.loads(line) for line in apart.stdout.splitlines()])
    assert "spans a week" in apart.stderr
    assert filed.stdout.startswith("series")
    assert b"PAR1" == (folder / "rows.parquet").read_bytes()[:4]


def test_a_page_is_drawn(cli: Cli, folder: Path) -> None:
    """`--plot` writes a page that names file and detector."""
    result = cli("detect", "--detector", "robust", "whole.csv", "--flagged", "--plot", "page.html")

    assert 0 == result.exit_code
    assert "<h1>whole.csv: robust</h1>" in (folder / "page.html").read_text()


def test_odd_times_are_said(cli: Cli, folder: Path) -> None:
    """Rows out of order and repeated times are counted on standard error."""
    (folder / "odd.csv").write_text("time,v\n1,1\n3,3\n2,2\n2,5\n")
    said = cli("detect", "--detector", "robust", "odd.csv").stderr

    assert "odd.csv: 1 row out of order" in said
    assert "odd.csv: 1 row with the time of the one before" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--value", "cpi"), "did you mean 'cpu'"),
        (("--detector", "robst"), "did you mean 'robust'"),
        (("--set", "window=3"), "has no parameter 'window'"),
        (("--set", "window"), "is not NAME=VALUE"),
        (("--false-alarms", "often"), "not a budget"),
        (("--interval", "soon"), "not a duration"),
        (("--output", "parquet"), "needs --out FILE"),
        (("--plot", "page.gif"), "wanted is a file .html or .png"),
    ],
)
def test_mistakes_are_said(cli: Cli, words: tuple[str, ...], said: str) -> None:
    """What is wrong is one line on standard error, and the exit code is 2."""
    result = cli("detect", "--detector", "robust", "whole.csv", *words)

    assert 2 == result.exit_code
    assert said in result.stderr


def test_a_history_of_other_series_is_refused(cli: Cli, folder: Path) -> None:
    """History none of whose series is in the file would teach nothing: that is said."""
    (folder / "other.csv").write_text("time,memory,cpus\n1,1,1\n2,2,2\n")
    result = cli("detect", "whole.csv", "--warm-start", "other.csv")

    assert 2 == result.exit_code
    assert "no series of that name: cpu; did you mean 'cpus'?" in result.stderr
